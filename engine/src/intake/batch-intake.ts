import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { SluiceError } from '@sluice/contract';
import type { AppendFailure } from '../append/batcher.js';
import { isoNow } from '../append/iso-now.js';
import type { BatchItems, ItemRules } from '../body/batch-items.js';
import { JsonArrayItems } from '../body/json-array-items.js';
import { MsgpackItems } from '../body/msgpack-items.js';
import { NdjsonItems } from '../body/ndjson-items.js';
import { INTERNAL_ERROR, isRefusalCode, type Refusal, unavailable } from '../http/answers.js';
import { type BodyRules, tooLarge } from '../http/head-faults.js';
import { type BatchFormat, parseBatchMediaType } from '../http/media-type.js';
import { readHead } from '../http/request-head.js';
import { microsNow } from '../metrics/micros-now.js';
import { readTask, taskRead } from '../validation/task-reader.js';
import { answerBatch, type BatchAnswer } from './batch-answer.js';
import type { BatchIntakeOptions } from './batch-limits.js';
import type { BatchOutcome } from './batch-outcome.js';
import { BatchTurns, type Turn } from './batch-turns.js';
import { BodyIntake } from './body-intake.js';
import type { Due } from './due.js';
import { type BatchDesk, PendingBatch } from './pending-batch.js';
import type { Reception } from './reception.js';
import type { TaskRoute } from './task-route.js';

/** A task that has to be decoded is as much work as so many times its bytes in one that has not. */
const DECODING = 8;
/** What a task is as work beside its bytes. */
const TASK_BYTES = 128;

/**
 * The way of a batch through an engine process: head → admission → body → find its tasks → admission of all of them →
 * each: decode → validate → append → one answer. Nothing is sent to Redis before all tasks have been found.
 */
export class BatchIntake extends BodyIntake<PendingBatch> implements BatchDesk {
  private readonly itemRules: BodyRules;
  private readonly turns = new BatchTurns<PendingBatch>((batch, turn) => this.advance(batch, turn));

  constructor(
    protected override readonly options: BatchIntakeOptions,
    reception: Reception,
  ) {
    const { allowChunked, batchBytes, maxPayloadSize } = options;
    const mediaTypes = 'application/json, application/x-ndjson, application/jsonl, application/msgpack';
    const whatIsLarge = 'the batch';
    const limitName = batchBytes.name;
    super(options, reception, {
      maxBytes: batchBytes.most,
      whatIsLarge,
      limitName,
      allowChunked,
      mediaTypes,
    });
    this.itemRules = {
      ...this.bodyRules,
      maxBytes: maxPayloadSize,
      whatIsLarge: 'the task',
      limitName: 'MAX_PAYLOAD_SIZE',
    };
  }

  /** Takes in one request. It neither throws nor forgets to answer. */
  handle(response: HttpResponse, request: HttpRequest, route: TaskRoute): void {
    this.options.counters.requests++;
    const startedAt = microsNow();
    const times = route.batchTimes;
    const { reception } = this;
    let sentAlong: string | undefined;
    try {
      const head = readHead(request);
      sentAlong = head.traceContext;
      const format = parseBatchMediaType(head.mediaType);
      const isTypeTaken = format !== undefined;
      if (!reception.letsIn(response, request, head, isTypeTaken, this.bodyRules, route, times, startedAt))
        return;
      const asked = reception.reachable(head, request);
      if ('code' in asked || asked.key !== undefined) {
        const refusal = 'code' in asked ? asked : KEY_OF_BATCH;
        reception.refuseTimed(response, refusal, false, times, startedAt, head.traceContext);
        return;
      }
      // A format that is undefined was refused.
      const batch = new PendingBatch(
        this,
        response,
        route,
        format as BatchFormat,
        head.traceContext,
        head.traceState,
        asked,
        startedAt,
        times.spans?.newName(head.traceContext),
      );
      this.awaitBody(response, batch);
    } catch (error) {
      this.options.onInternalError('batch intake', error);
      reception.refuseTimed(response, INTERNAL_ERROR, true, times, startedAt, sentAlong);
    }
  }

  protected override complete(batch: PendingBatch, { buffer, byteOffset, length }: Uint8Array): void {
    const body = Buffer.from(buffer, byteOffset, length);
    const { batchTasks, maxDepth } = this.options;
    const items = itemsOf(batch.format, body, {
      maxItems: batchTasks.most,
      maxItemsName: batchTasks.name,
      maxDepth,
      wantsPlain: batch.route.validator.takesAnyData,
    });
    batch.items = items;
    this.turns.add(batch, () => items.keepBody());
  }

  /** Goes on with a batch until it is through or the turn is over. Returns whether it is through. */
  private advance(batch: PendingBatch, turn: Turn): boolean {
    try {
      const { items } = batch;
      if (items === undefined) return true;
      if (!items.isComplete && !findAll(items, turn)) return false;
      const outcome = batch.outcome ?? this.letIn(batch, items);
      if (outcome === undefined) return true;
      if (!this.handInAll(batch, items, outcome, turn)) return false;
      batch.handedIn();
    } catch (error) {
      this.failed(batch, error);
    }
    return true;
  }

  /** All tasks come in, or none. */
  private letIn(batch: PendingBatch, items: BatchItems): BatchOutcome | undefined {
    const { admission, batcher } = this.options;
    const { backlog, breaker } = batch.route;
    const code = batcher.isUp ? admission.refusalOfBatch(items.count, backlog) : 'REDIS_UNAVAILABLE';
    if (code !== undefined) {
      const retryAfter = code === 'OVERLOADED' ? backlog.retryAfterSeconds : undefined;
      batch.refuse(unavailable(code, retryAfter));
      return undefined;
    }
    const obstacle = breaker.isOpen ? breaker.lastObstacle() : undefined;
    if (obstacle !== undefined) {
      batch.refuse(obstacle);
      return undefined;
    }
    admission.tasks += items.count;
    backlog.reserved += items.count;
    return batch.letIn(items);
  }

  private handInAll(batch: PendingBatch, items: BatchItems, outcome: BatchOutcome, turn: Turn): boolean {
    const timestamp = isoNow();
    while (batch.next < items.count) {
      const index = batch.next++;
      batch.route.backlog.reserved--;
      turn.tasksLeft--;
      const bytes = items.endOf(index) - items.startOf(index);
      const refusal = this.handIn(batch, items, outcome, index, timestamp);
      if (refusal !== undefined) outcome.refuse(index, refusal);
      const work = items.isPlain(index) ? bytes : DECODING * (bytes + TASK_BYTES);
      if (turn.spend(work + TASK_BYTES) && batch.next < items.count) return false;
    }
    return true;
  }

  /** Sends a task; else returns why not. */
  private handIn(
    batch: PendingBatch,
    items: BatchItems,
    outcome: BatchOutcome,
    index: number,
    timestamp: string,
  ): Refusal | undefined {
    const { batcher, levels } = this.options;
    const { route } = batch;
    const { body } = items;
    const start = items.startOf(index);
    const size = items.endOf(index) - start;
    if (size > this.itemRules.maxBytes) return tooLarge(`${size} bytes`, this.itemRules);
    if (!batcher.isUp) return unavailable('REDIS_UNAVAILABLE');
    let payload = new Uint8Array(body.buffer, body.byteOffset + start, size);
    let due: Due | undefined;
    if (!items.isPlain(index)) {
      const refusal = this.read(body.subarray(start, start + size), batch);
      if (refusal !== undefined) return refusal;
      payload = taskRead.payload;
      due = taskRead.due;
    }
    if (due === undefined) route.backlog.appended++;
    else batch.isPlain = false;
    batch.becomeTask(index, outcome);
    levels
      .of(batch.asked.level)
      .appendOneOf(due === undefined ? route.encode : route.encodeDelayed(due), batch, timestamp, payload);
    return undefined;
  }

  private read(envelope: Buffer, { route, contentType, traceContext }: PendingBatch): Refusal | undefined {
    try {
      return readTask(envelope, contentType, route.validator, this.options.maxDepth);
    } catch (error) {
      // A fault of ours with one task must not leave those without an answer that were sent already.
      this.options.onInternalError('batch intake', error, traceContext);
      return INTERNAL_ERROR;
    }
  }

  /** What cannot be read as a batch at all. */
  protected override failed(batch: PendingBatch, error: unknown): void {
    if (batch.outcome !== undefined) batch.route.backlog.reserved -= batch.outcome.count - batch.next;
    if (error instanceof SluiceError && isRefusalCode(error.code)) {
      batch.refuse({ code: error.code, message: error.message, details: error.details });
      return;
    }
    this.options.onInternalError('batch intake', error, batch.traceContext);
    batch.refuse(INTERNAL_ERROR, true);
  }

  answer(response: HttpResponse, batch: PendingBatch, outcome: BatchOutcome): BatchAnswer {
    const { counters } = this.options;
    counters.accepted += outcome.accepted;
    for (const { refusal } of outcome.refused) {
      counters.refused[refusal.code] = (counters.refused[refusal.code] ?? 0) + 1;
    }
    return answerBatch(response, outcome, batch, this.reception.draining);
  }

  takeBack(batch: PendingBatch): boolean {
    const { outcome, next, route, asked } = batch;
    if (outcome === undefined) return true; // none was handed in yet
    const { unanswered, hasReplies, count } = outcome;
    if (hasReplies || (unanswered > 0 && !this.options.levels.of(asked.level).takeBack(batch, unanswered)))
      return false;
    route.backlog.reserved -= count - next;
    return true;
  }

  appended(count: number): void {
    this.options.counters.appended += count;
  }

  appendFailed(count: number, { code, reason }: AppendFailure): void {
    if (code === 'ACK_LEVEL_NOT_REACHED') this.options.counters.appended += count;
    this.options.onAppendRefused(code, reason);
  }

  scheduleWasFull(): void {
    this.options.admission.scheduleWasFull();
  }

  leaveWith(bytes: number, tasks: number): void {
    this.options.admission.tasks -= tasks;
    this.leave(bytes);
  }
}

const KEY_OF_BATCH: Refusal = {
  code: 'INVALID_IDEMPOTENCY_KEY',
  message: 'a batch takes no Idempotency-Key: nothing was stored; send tasks that need one by themselves',
};

function findAll(items: BatchItems, turn: Turn): boolean {
  let found = 0;
  while (!items.isComplete) {
    items.findNext();
    if (items.count === found) continue;
    found = items.count;
    const bytes = items.endOf(found - 1) - items.startOf(found - 1);
    if (turn.spend(bytes + TASK_BYTES) && !items.isComplete) return false;
  }
  return true;
}

function itemsOf(format: BatchFormat, body: Buffer, rules: ItemRules): BatchItems {
  switch (format) {
    case 'application/json':
      return new JsonArrayItems(body, rules);
    case 'application/x-ndjson':
      return new NdjsonItems(body, rules);
    case 'application/msgpack':
      return new MsgpackItems(body, rules);
  }
}
