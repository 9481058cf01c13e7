import type { HttpResponse } from 'uWebSockets.js';
import type { ContentType } from '@sluice/contract';
import type { SpanName } from '@sluice/telemetry';
import type { AppendFailure, RunWaiter } from '../append/batcher.js';
import type { TaskHead } from '../append/task-head.js';
import { NAME_LENGTH, writeTaskName } from '../append/task-names.js';
import type { BatchItems } from '../body/batch-items.js';
import { type Refusal, type RefusalCode, statusOf } from '../http/answers.js';
import type { Asked } from '../http/asked.js';
import type { BatchFormat } from '../http/media-type.js';
import { statusClassOf } from '../metrics/request-times.js';
import { numberOf, traceparentOf } from '../traces/route-spans.js';
import type { BatchAnswer } from './batch-answer.js';
import { BatchOutcome } from './batch-outcome.js';
import { PendingRequest, type RequestDesk } from './pending-request.js';
import { refusalOfAppend } from './pending-task.js';
import type { TaskRoute } from './task-route.js';

/** Where a pending batch reports how it ends. */
export interface BatchDesk extends RequestDesk {
  /** Answers with what became of each task. */
  answer(response: HttpResponse, batch: PendingBatch, outcome: BatchOutcome): BatchAnswer;
  /** Keeps all tasks of a batch from being stored. Returns whether that could still be done. */
  takeBack(batch: PendingBatch): boolean;
  appended(count: number): void;
  appendFailed(count: number, failure: AppendFailure): void;
  /** Some tasks of a batch were refused because the schedule is full; said once. */
  scheduleWasFull(): void;
  /** The batch is no longer held in memory, whichever way it went. */
  leaveWith(bytes: number, tasks: number): void;
}

/**
 * One batch on its way: ends exactly once, and leaves the intake exactly once. It stands for all of its tasks: as head of
 * a task it is that of the one which is handed in at the moment.
 */
export class PendingBatch extends PendingRequest implements RunWaiter, TaskHead {
  /** Whether all of its tasks so far are appended by XADD, rather than by a script. */
  isPlain = true;
  /** Where its tasks are, while they are not all handed in. */
  items: BatchItems | undefined;
  /** Set when its tasks were let in. */
  outcome: BatchOutcome | undefined;
  /** The task that is handed in next. */
  next = 0;
  names = new Uint8Array(0);
  nameAt = 0;
  contentType: ContentType = 'application/json';
  readonly traceContext: string | undefined;
  private isHandedIn = false;
  private hasMetFullSchedule = false;

  constructor(
    private readonly desk: BatchDesk,
    private readonly response: HttpResponse,
    readonly route: TaskRoute,
    readonly format: BatchFormat,
    /** The traceparent its request came with, if that was a valid one. */
    private readonly parent: string | undefined,
    readonly traceState: string | undefined,
    readonly asked: Asked,
    /** When its request arrived, by `microsNow`. */
    readonly startedAt: number,
    /** The span of its request, where there are spans; those of its tasks are children of it. */
    readonly spanName: SpanName | undefined,
  ) {
    super();
    this.traceContext = spanName === undefined ? parent : traceparentOf(spanName);
  }

  /** All of its tasks are known, and may come in. */
  letIn(items: BatchItems): BatchOutcome {
    this.contentType = items.contentType;
    this.names = new Uint8Array(items.count * NAME_LENGTH);
    this.outcome = new BatchOutcome(items.count);
    return this.outcome;
  }

  /** From here on this is the head of the task with this index, which is sent. */
  becomeTask(index: number, outcome: BatchOutcome): void {
    this.nameAt = index * NAME_LENGTH;
    writeTaskName(this.names, this.nameAt);
    outcome.send(index);
  }

  /** Each task was sent or refused. */
  handedIn(): void {
    this.isHandedIn = true;
    this.items = undefined;
    this.settle();
  }

  /** Its span, for a client that has sent a traceparent; nothing where there are no spans. */
  get traceparent(): string | undefined {
    return this.parent === undefined || this.spanName === undefined ? undefined : this.traceContext;
  }

  /** Refuses the batch as a whole. Only while no task was sent. */
  override refuse(refusal: Refusal, close = false): void {
    if (!this.isOver) {
      this.isOver = true;
      this.response.cork(() => this.desk.refuse(this.response, refusal, close, this.traceparent));
      this.answered(statusOf(refusal.code), refusal.code);
    }
    this.leave();
  }

  /**
   * The client went away, or sent what is no HTTP behind this request. If a task was written to Redis, the others go on
   * too, and nobody hears of their outcome; else none is stored.
   */
  override abort(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.desk.abandoned();
    const { batchTimes } = this.route;
    batchTimes.aborted();
    if (this.spanName !== undefined) {
      batchTimes.spans?.aborted(this.spanName, this.parent, this.startedAt, this.outcome?.count ?? 0);
    }
    if (this.hasBody && !this.desk.takeBack(this)) return;
    this.items = undefined;
    this.leave();
  }

  onNextAppended(count: number, dueAt: number | undefined): void {
    const { breaker } = this.route;
    if (breaker.refusals > 0) breaker.noteAppended(this.isPlain);
    this.desk.appended(count);
    this.outcome?.appendNext(count, dueAt);
    this.settle();
  }

  onNextFailed(count: number, failure: AppendFailure): void {
    this.route.breaker.noteFailed(count, failure, this.isPlain);
    this.desk.appendFailed(count, failure);
    if (failure.code === 'OVERLOADED' && !this.hasMetFullSchedule) {
      this.hasMetFullSchedule = true;
      this.desk.scheduleWasFull();
    }
    this.outcome?.refuseNext(count, refusalOfAppend(failure));
    this.settle();
  }

  private settle(): void {
    const { outcome } = this;
    if (!this.isHandedIn || outcome === undefined) return;
    const isSettled = outcome.unanswered === 0;
    if (!this.isOver && (isSettled || this.asked.level === 'received')) {
      this.isOver = true;
      this.response.cork(() => {
        const { status, code } = this.desk.answer(this.response, this, outcome);
        this.answered(status, code);
      });
    }
    if (isSettled) this.leave();
  }

  private answered(status: string, code?: RefusalCode): void {
    const { spanName: name, parent, startedAt, outcome } = this;
    const { batchTimes } = this.route;
    const endedAt = batchTimes.answered(startedAt, statusClassOf(status));
    if (name === undefined) return;
    const tasks = outcome?.count ?? 0;
    batchTimes.spans?.answered(name, parent, startedAt, endedAt, numberOf(status), tasks, code);
  }

  protected override free(): void {
    this.desk.leaveWith(this.bytes, this.outcome?.count ?? 0);
  }
}
