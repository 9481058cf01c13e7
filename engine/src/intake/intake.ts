import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { ContentType } from '@sluice/contract';
import type { AppendFailure } from '../append/batcher.js';
import { fingerprintOf, type KnownTask } from '../append/idempotency.js';
import { isoNow } from '../append/iso-now.js';
import { TaskNames, taskIdOf } from '../append/task-names.js';
import { isPlainEnvelope } from '../body/json-scan.js';
import {
  ACCEPTED_HEAD,
  AcceptedBody,
  acceptedHeadFor,
  answerAcceptance,
  INTERNAL_ERROR,
  unavailable,
} from '../http/answers.js';
import type { Asked } from '../http/asked.js';
import { readHead } from '../http/request-head.js';
import { microsNow } from '../metrics/micros-now.js';
import { traceparentOf } from '../traces/route-spans.js';
import { readTask, taskRead } from '../validation/task-reader.js';
import { BodyIntake } from './body-intake.js';
import type { Due } from './due.js';
import type { IntakeOptions } from './intake-options.js';
import { type AskingTask, type IntakeDesk, PendingTask } from './pending-task.js';
import type { Reception } from './reception.js';
import type { TaskRoute } from './task-route.js';

/** The way of a task through an engine process: head → admission → body → decode → validate → append → answer. */
export class Intake extends BodyIntake<PendingTask> implements IntakeDesk {
  private readonly acceptedBody: AcceptedBody;
  private readonly names = new TaskNames();
  /** Whether every task has to reach a level that is confirmed by itself. */
  private readonly isConfirmed: boolean;

  constructor(options: IntakeOptions, reception: Reception) {
    super(options, reception, {
      maxBytes: options.maxPayloadSize,
      whatIsLarge: 'the body',
      limitName: 'MAX_PAYLOAD_SIZE',
      allowChunked: options.allowChunked,
      mediaTypes: 'application/json, application/msgpack',
    });
    this.acceptedBody = new AcceptedBody(options.ackMode);
    this.isConfirmed = options.ackMode === 'replicated' || options.ackMode === 'fsynced';
  }

  /** Takes in one request. uWebSockets.js ends the process if a handler throws or forgets to answer: it does neither. */
  handle(response: HttpResponse, request: HttpRequest, route: TaskRoute): void {
    this.options.counters.requests++;
    const startedAt = microsNow();
    const { times } = route;
    const { reception } = this;
    let sentAlong: string | undefined;
    try {
      const head = readHead(request);
      sentAlong = head.traceContext;
      const isTypeTaken = head.contentType !== undefined;
      if (!reception.letsIn(response, request, head, isTypeTaken, this.bodyRules, route, times, startedAt))
        return;
      const asked =
        head.asked === undefined && !this.isConfirmed ? undefined : reception.reachable(head, request);
      if (asked !== undefined && 'code' in asked) {
        reception.refuseTimed(response, asked, false, times, startedAt, head.traceContext);
        return;
      }
      const nameAt = this.names.take();
      const parent = times.spans?.continued(this.names.block, nameAt, head.traceContext);
      const pending = new PendingTask(
        this,
        response,
        route,
        this.names.block,
        nameAt,
        head.contentType as ContentType, // else it was refused
        parent === undefined ? head.traceContext : undefined,
        head.traceState,
        asked,
        startedAt,
        parent,
      );
      this.awaitBody(response, pending);
    } catch (error) {
      this.options.onInternalError('intake', error);
      reception.refuseTimed(response, INTERNAL_ERROR, true, times, startedAt, sentAlong);
    }
  }

  protected override complete(pending: PendingTask, body: Uint8Array): void {
    const { maxDepth } = this.options;
    const { route, contentType } = pending;
    if (
      route.validator.takesAnyData &&
      contentType === 'application/json' &&
      isPlainEnvelope(body, maxDepth)
    ) {
      this.append(pending, body, undefined);
      return;
    }
    const { buffer, byteOffset, length } = body;
    const refusal = readTask(Buffer.from(buffer, byteOffset, length), contentType, route.validator, maxDepth);
    if (refusal === undefined) this.append(pending, taskRead.payload, taskRead.due);
    else pending.refuse(refusal);
  }

  protected override failed(pending: PendingTask, error: unknown): void {
    this.options.onInternalError('intake', error, pending.traceContext ?? traceparentOf(pending));
    if (!pending.isOver) pending.refuse(INTERNAL_ERROR, true);
  }

  private append(pending: PendingTask, payload: Uint8Array, due: Due | undefined): void {
    const { batcher, ackMode } = this.options;
    const { route, asked } = pending;
    if (!batcher.isUp) {
      pending.refuse(unavailable('REDIS_UNAVAILABLE'));
      return;
    }
    const obstacle = route.breaker.isOpen ? route.breaker.lastObstacle() : undefined;
    if (obstacle !== undefined) {
      pending.refuse(obstacle);
      return;
    }
    if (due === undefined) route.backlog.appended++;
    else pending.isPlain = false;
    if (asked !== undefined) {
      this.appendAsked(pending, asked, payload, due);
      return;
    }
    batcher.append(due === undefined ? route.encode : route.encodeDelayed(due), pending, isoNow(), payload);
    if (ackMode === 'received') pending.acceptReceived(batcher);
  }

  private appendAsked(pending: PendingTask, asked: Asked, payload: Uint8Array, due: Due | undefined): void {
    const { route, contentType } = pending;
    const { key, holder } = asked;
    if (key !== undefined) {
      asked.fingerprint = fingerprintOf(contentType, payload);
      pending.isPlain = false;
    }
    const encodeNow = due === undefined ? route.encode : route.encodeDelayed(due);
    const { fingerprint } = asked;
    const encode = key === undefined ? encodeNow : route.encodeOnce({ key, holder, fingerprint }, due);
    const { levels, batcher } = this.options;
    levels.of(asked.level).append(encode, pending, isoNow(), payload);
    if (asked.level === 'received') pending.acceptReceived(batcher);
  }

  accepted(response: HttpResponse, task: AskingTask, dueAt: number | undefined, known?: KnownTask): void {
    const { counters, ackMode } = this.options;
    const { asked, parent } = task;
    counters.accepted++;
    if (dueAt === undefined && asked === undefined && parent === undefined) {
      const head = this.options.access === undefined ? ACCEPTED_HEAD : acceptedHeadFor(response);
      this.acceptedBody.answer(response, head, task, this.reception.draining);
      return;
    }
    const replayed = known !== undefined;
    if (replayed) counters.replayed++;
    const taskId = known?.taskId ?? taskIdOf(task);
    const ack = asked?.level ?? ackMode;
    const isPreferred = asked?.isPreferred === true;
    const traceparent = parent === undefined ? undefined : traceparentOf(task);
    answerAcceptance(
      response,
      { taskId, ack, dueAt, replayed, isPreferred, traceparent },
      this.reception.draining,
    );
  }

  appendEnded(failure: AppendFailure | undefined): void {
    if (failure === undefined || failure.code === 'ACK_LEVEL_NOT_REACHED') this.options.counters.appended++;
    if (failure === undefined) return;
    if (failure.code === 'OVERLOADED') this.options.admission.scheduleWasFull();
    this.options.onAppendRefused(failure.code, failure.reason);
  }

  takeBack(task: PendingTask): boolean {
    const { batcher, levels } = this.options;
    const { asked } = task;
    // Its backlog counts it until the next look, as it does a task that Redis has refused.
    return (asked === undefined ? batcher : levels.of(asked.level)).takeBack(task, 1);
  }
}
