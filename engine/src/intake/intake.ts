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
  answerRefusal,
  INTERNAL_ERROR,
  type Refusal,
  statusOf,
  unavailable,
} from '../http/answers.js';
import { type Asked, askedOf } from '../http/asked.js';
import { ambiguous, type BodyRules, faultOfHead, tooLarge } from '../http/head-faults.js';
import { type RequestHead, readHead } from '../http/request-head.js';
import { microsNow } from '../metrics/micros-now.js';
import { type RouteTimes, statusClassOf } from '../metrics/request-times.js';
import { traceparentOf } from '../traces/route-spans.js';
import { readTask, taskRead } from '../validation/task-reader.js';
import type { Due } from './due.js';
import type { IntakeOptions } from './intake-options.js';
import { type AskingTask, type IntakeDesk, PendingTask, type TaskRoute } from './pending-task.js';

/** The way of a task through an engine process: head → admission → body → decode → validate → append → answer. */
export class Intake implements IntakeDesk {
  /** While draining, each answer closes its connection, so that clients go elsewhere. */
  draining = false;
  private readonly acceptedBody: AcceptedBody;
  private readonly names = new TaskNames();
  private readonly bodyRules: BodyRules;
  /** Whether every task has to reach a level that is confirmed by itself. */
  private readonly isConfirmed: boolean;

  constructor(private readonly options: IntakeOptions) {
    this.bodyRules = {
      maxBytes: options.maxPayloadSize,
      whatIsLarge: 'the body',
      limitName: 'MAX_PAYLOAD_SIZE',
      allowChunked: options.allowChunked,
      mediaTypes: 'application/json, application/msgpack',
    };
    this.acceptedBody = new AcceptedBody(options.ackMode);
    this.isConfirmed = options.ackMode === 'replicated' || options.ackMode === 'fsynced';
  }

  /** Takes in one request. uWebSockets.js ends the process if a handler throws or forgets to answer: it does neither. */
  handle(response: HttpResponse, request: HttpRequest, route: TaskRoute): void {
    this.options.counters.requests++;
    const startedAt = microsNow();
    const { times } = route;
    try {
      const head = readHead(request);
      const isTypeTaken = head.contentType !== undefined;
      if (!this.letsIn(response, request, head, isTypeTaken, this.bodyRules, route, times, startedAt)) return;
      const { admission } = this.options;
      const asked = head.asked === undefined && !this.isConfirmed ? undefined : this.reachable(head, request);
      if (asked !== undefined && 'code' in asked) {
        this.refuseTimed(response, asked, false, times, startedAt, head.traceContext);
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
        asked,
        startedAt,
        parent,
      );
      admission.requests++;
      response.onAborted(() => pending.abort());
      response.onData((chunk, isLast) => this.receive(pending, chunk, isLast));
    } catch (error) {
      this.options.onInternalError('intake', error);
      this.refuseTimed(response, INTERNAL_ERROR, true, times, startedAt);
    }
  }

  /** What a request asks for, if it can be had as far as is known. */
  reachable({ asked: headers }: RequestHead, request: HttpRequest): Asked | Refusal {
    const { access, ackMode, levels, onAppendRefused } = this.options;
    const asked = askedOf(headers, ackMode, () => access?.holder(request) ?? '');
    if ('code' in asked) return asked;
    const obstacle = levels.obstacleTo(asked.level);
    if (obstacle === undefined) return asked;
    onAppendRefused('ACK_LEVEL_UNAVAILABLE', obstacle);
    return unavailable('ACK_LEVEL_UNAVAILABLE');
  }

  /** Whether a request for a route may come in, going by its head; one that may not is answered. */
  letsIn(
    response: HttpResponse,
    request: HttpRequest,
    head: RequestHead,
    isTypeTaken: boolean,
    rules: BodyRules,
    { type, backlog, breaker }: TaskRoute,
    times: RouteTimes,
    startedAt: number,
  ): boolean {
    const { access } = this.options;
    if (access !== undefined) access.cors?.note(response, request);
    const fault = faultOfHead(head, access?.refusal(request, type), isTypeTaken, rules);
    if (fault !== undefined) {
      if (fault.close) this.refuseAndClose(response, fault.refusal, times, startedAt, head.traceContext);
      else this.refuseTimed(response, fault.refusal, false, times, startedAt, head.traceContext);
      return false;
    }
    const { admission, batcher } = this.options;
    const code = admission.refusal(batcher.isUp, backlog, Math.max(0, head.contentLength));
    if (code === undefined) {
      const obstacle = breaker.isOpen ? breaker.obstacle() : undefined;
      if (obstacle !== undefined) this.refuseTimed(response, obstacle, false, times, startedAt);
      return obstacle === undefined;
    }
    const shed = unavailable(code as 'OVERLOADED', backlog.isFull ? backlog.retryAfterSeconds : undefined);
    this.refuseTimed(response, shed, false, times, startedAt, head.traceContext);
    return false;
  }

  /**
   * Looks at the head of a request that is no task. One whose end cannot be told is refused here, whatever it asks
   * for: what one side takes for its body is the next request to the other. Returns whether it was.
   */
  refuseAmbiguous(response: HttpResponse, request: HttpRequest): boolean {
    this.options.access?.cors?.note(response, request);
    const { ambiguity } = readHead(request);
    if (ambiguity === undefined) return false;
    this.refuseAndClose(response, ambiguous(ambiguity), this.options.times.other, microsNow());
    return true;
  }

  /**
   * Refuses a request and closes its connection, a moment later: after an answer given at once, uWebSockets.js goes
   * on and takes what follows in the same packet for the next request. While an answer is due, it closes instead.
   */
  private refuseAndClose(
    response: HttpResponse,
    refusal: Refusal,
    times: RouteTimes,
    startedAt: number,
    parent?: string,
  ): void {
    let isGone = false;
    response.onAborted(() => {
      isGone = true;
      times.aborted();
      times.spans?.abortedAtOnce(parent, startedAt);
    });
    setImmediate(() => {
      if (!isGone) response.cork(() => this.refuseTimed(response, refusal, true, times, startedAt, parent));
    });
  }

  private receive(pending: PendingTask, chunk: ArrayBuffer, isLast: boolean): void {
    if (pending.isOver) return;
    try {
      const { maxPayloadSize, admission } = this.options;
      const size = pending.bytes + chunk.byteLength;
      if (size > maxPayloadSize) {
        pending.refuse(tooLarge(`more than ${maxPayloadSize} bytes`, this.bodyRules), true);
        return;
      }
      if (!admission.hasRoomFor(chunk.byteLength)) {
        pending.refuse(unavailable('OVERLOADED'), !isLast);
        return;
      }
      pending.bytes = size;
      admission.bytes += chunk.byteLength;
      if (isLast) this.complete(pending, pending.whole(chunk));
      else pending.keep(chunk);
    } catch (error) {
      this.options.onInternalError('intake', error);
      if (!pending.isOver) pending.refuse(INTERNAL_ERROR, true);
    }
  }

  private complete(pending: PendingTask, body: Buffer): void {
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
    const refusal = readTask(body, contentType, route.validator, maxDepth);
    if (refusal === undefined) this.append(pending, taskRead.payload, taskRead.due);
    else pending.refuse(refusal);
  }

  private append(pending: PendingTask, payload: Buffer, due: Due | undefined): void {
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

  private appendAsked(pending: PendingTask, asked: Asked, payload: Buffer, due: Due | undefined): void {
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

  leave(bytes: number): void {
    this.options.admission.requests--;
    this.options.admission.bytes -= bytes;
  }

  accepted(response: HttpResponse, task: AskingTask, dueAt: number | undefined, known?: KnownTask): void {
    const { counters, ackMode } = this.options;
    const { asked, parent } = task;
    counters.accepted++;
    if (dueAt === undefined && asked === undefined && parent === undefined) {
      const head = this.options.access === undefined ? ACCEPTED_HEAD : acceptedHeadFor(response);
      this.acceptedBody.answer(response, head, task, this.draining);
      return;
    }
    const replayed = known !== undefined;
    if (replayed) counters.replayed++;
    const taskId = known?.taskId ?? taskIdOf(task);
    const ack = asked?.level ?? ackMode;
    const isPreferred = asked?.isPreferred === true;
    const traceparent = parent === undefined ? undefined : traceparentOf(task);
    answerAcceptance(response, { taskId, ack, dueAt, replayed, isPreferred, traceparent }, this.draining);
  }

  refuse(response: HttpResponse, refusal: Refusal, close: boolean, withBody = true): void {
    const { refused } = this.options.counters;
    refused[refusal.code] = (refused[refusal.code] ?? 0) + 1;
    answerRefusal(response, refusal, close || this.draining, withBody);
  }

  /** Refuses a request at once. */
  refuseTimed(
    response: HttpResponse,
    refusal: Refusal,
    close: boolean,
    times: RouteTimes,
    startedAt: number,
    parent?: string,
    withBody = true,
  ): void {
    this.refuse(response, refusal, close, withBody);
    times.answered(startedAt, statusClassOf(statusOf(refusal.code)));
    times.spans?.refusedAtOnce(parent, startedAt, refusal.code);
  }

  /** Refuses a request that leads to no task. */
  refuseOther(response: HttpResponse, refusal: Refusal, withBody = true): void {
    this.refuseTimed(response, refusal, false, this.options.times.other, microsNow(), undefined, withBody);
  }

  appendEnded(failure: AppendFailure | undefined): void {
    if (failure === undefined || failure.code === 'ACK_LEVEL_NOT_REACHED') this.options.counters.appended++;
    if (failure !== undefined) this.options.onAppendRefused(failure.code, failure.reason);
  }

  takeBack(task: PendingTask): boolean {
    const { batcher, levels } = this.options;
    const { asked } = task;
    // Its backlog counts it until the next look, as it does a task that Redis has refused.
    return (asked === undefined ? batcher : levels.of(asked.level)).takeBack(task, 1);
  }

  abandoned(): void {
    this.options.counters.aborted++;
  }
}
