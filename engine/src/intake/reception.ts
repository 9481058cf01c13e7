import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { answerRefusal, type Refusal, statusOf, unavailable } from '../http/answers.js';
import { type Asked, askedOf } from '../http/asked.js';
import { ambiguous, type BodyRules, faultOfHead } from '../http/head-faults.js';
import { type RequestHead, readHead } from '../http/request-head.js';
import { microsNow } from '../metrics/micros-now.js';
import { type RouteTimes, statusClassOf } from '../metrics/request-times.js';
import { traceparentOf } from '../traces/route-spans.js';
import type { IntakeOptions } from './intake-options.js';
import type { TaskRoute } from './task-route.js';

/** Receives every request of an engine process by its head: lets it in, or refuses it, counted, timed and traced. */
export class Reception {
  /** While draining, each answer closes its connection, so that clients go elsewhere. */
  draining = false;

  constructor(private readonly options: IntakeOptions) {}

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
    let obstacle: Refusal | undefined;
    if (code !== undefined) {
      obstacle = unavailable(code as 'OVERLOADED', backlog.isFull ? backlog.retryAfterSeconds : undefined);
    } else if (breaker.isOpen) obstacle = breaker.obstacle();
    if (obstacle === undefined) return true;
    this.refuseTimed(response, obstacle, false, times, startedAt, head.traceContext);
    return false;
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

  /** Refuses a request that leads to no task. */
  refuseOther(response: HttpResponse, refusal: Refusal, withBody = true): void {
    this.refuseTimed(response, refusal, false, this.options.times.other, microsNow(), undefined, withBody);
  }

  /**
   * Refuses a request at once.
   *
   * @param parent the traceparent it came with, if that was a valid one
   */
  refuseTimed(
    response: HttpResponse,
    refusal: Refusal,
    close: boolean,
    times: RouteTimes,
    startedAt: number,
    parent?: string,
    withBody = true,
  ): void {
    const { spans } = times;
    const name = spans?.nameAtOnce(parent);
    const traceparent = parent === undefined || name === undefined ? undefined : traceparentOf(name);
    this.refuse(response, refusal, close, traceparent, withBody);
    const endedAt = times.answered(startedAt, statusClassOf(statusOf(refusal.code)));
    if (name !== undefined) spans?.refused(name, parent, startedAt, endedAt, refusal.code, 0);
  }

  /** Answers with an error, and counts it. */
  refuse(
    response: HttpResponse,
    refusal: Refusal,
    close: boolean,
    traceparent?: string,
    withBody = true,
  ): void {
    const { refused } = this.options.counters;
    refused[refusal.code] = (refused[refusal.code] ?? 0) + 1;
    answerRefusal(response, refusal, close || this.draining, traceparent, withBody);
  }
}
