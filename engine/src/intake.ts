import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { type ContentType, SluiceError } from '@sluice/contract';
import type { EngineCounters } from '@sluice/telemetry';
import type { Access } from './access.js';
import type { Admission } from './admission.js';
import {
  ACCEPTED_HEAD,
  AcceptedBody,
  acceptedHeadFor,
  answerAcceptedForLater,
  answerRefusal,
  isRefusalCode,
  type Refusal,
  type RefusalCode,
  unavailable,
} from './answers.js';
import type { AppendFailure, Batcher } from './batcher.js';
import { decodeBody } from './decode.js';
import { type Due, dueOf } from './due.js';
import { isPlainEnvelope } from './json-scan.js';
import { type IntakeDesk, PendingTask, type TaskRoute } from './pending-task.js';
import { type RequestHead, readHead } from './request-head.js';
import { type TaskName, TaskNames } from './task-names.js';
import type { Envelope } from './validator.js';

export interface IntakeOptions {
  ackMode: 'appended' | 'received';
  maxPayloadSize: number;
  maxDepth: number;
  allowChunked: boolean;
  admission: Admission;
  batcher: Batcher;
  counters: EngineCounters;
  /** Nothing where anybody may send, and no web page. */
  access: Access | undefined;
  /** Redis refused an append, or a task already answered 202 in mode `received` was lost. */
  onAppendRefused: (code: RefusalCode, reason: string) => void;
  onInternalError: (where: string, error: unknown) => void;
}

/** A refused body up to this many times the limit is read and dropped; beyond, the connection is closed. */
const DISCARDED_BODY_LIMITS = 8;

/** The way of a task through an engine process: head → admission → body → decode → validate → append → answer. */
export class Intake implements IntakeDesk {
  /** While draining, each answer closes its connection, so that clients go elsewhere. */
  draining = false;
  private readonly acceptedBody: AcceptedBody;
  private readonly names = new TaskNames();

  constructor(private readonly options: IntakeOptions) {
    this.acceptedBody = new AcceptedBody(options.ackMode);
  }

  /** Takes in one request. uWebSockets.js ends the process if a handler throws or forgets to answer: it does neither. */
  handle(response: HttpResponse, request: HttpRequest, route: TaskRoute): void {
    this.options.counters.requests++;
    try {
      const { access } = this.options;
      if (access !== undefined) access.cors?.note(response, request);
      const head = readHead(request);
      const fault = this.faultOfHead(head, request, route);
      if (fault !== undefined) {
        if (fault.close) this.refuseAndClose(response, fault.refusal);
        else this.refuse(response, fault.refusal, false);
        return;
      }
      const { admission, batcher } = this.options;
      const code = admission.refusal(batcher.isUp, route.backlog, Math.max(0, head.contentLength));
      if (code !== undefined) {
        const retryAfter = route.backlog.isFull ? route.backlog.retryAfterSeconds : undefined;
        this.refuse(response, unavailable(code as 'OVERLOADED', retryAfter), false);
        return;
      }
      const nameAt = this.names.take();
      const pending = new PendingTask(
        this,
        response,
        route,
        this.names.block,
        nameAt,
        head.contentType as ContentType, // else it was refused
        head.traceContext,
      );
      admission.requests++;
      response.onAborted(() => pending.abort());
      response.onData((chunk, isLast) => this.receive(pending, chunk, isLast));
    } catch (error) {
      this.options.onInternalError('intake', error);
      this.refuse(response, INTERNAL_ERROR, true);
    }
  }

  /**
   * Looks at the head of a request that is no task. One whose end cannot be told is refused here, whatever it asks
   * for: what one side takes for its body is the next request to the other. Returns whether it was.
   */
  refuseAmbiguous(response: HttpResponse, request: HttpRequest): boolean {
    this.options.access?.cors?.note(response, request);
    const { ambiguity } = readHead(request);
    if (ambiguity === undefined) return false;
    this.refuseAndClose(response, ambiguous(ambiguity));
    return true;
  }

  /**
   * Refuses a request and closes its connection, a moment later: after an answer given at once, uWebSockets.js goes
   * on and takes what follows in the same packet for the next request. While an answer is due, it closes instead.
   */
  private refuseAndClose(response: HttpResponse, refusal: Refusal): void {
    let isGone = false;
    response.onAborted(() => {
      isGone = true;
    });
    setImmediate(() => {
      if (!isGone) response.cork(() => this.refuse(response, refusal, true));
    });
  }

  private faultOfHead(
    head: RequestHead,
    request: HttpRequest,
    route: TaskRoute,
  ): { refusal: Refusal; close: boolean } | undefined {
    const { maxPayloadSize, allowChunked, access } = this.options;
    if (head.ambiguity !== undefined) return { refusal: ambiguous(head.ambiguity), close: true };
    if (access !== undefined) {
      const refusal = access.refusal(request, route.type);
      // A body in chunks may have no end.
      if (refusal !== undefined) return { refusal, close: head.chunked || this.isTooLongToDiscard(head) };
    }
    if (head.chunked ? !allowChunked : head.contentLength === -1) {
      const message =
        'the request needs a Content-Length; chunked bodies are taken only where ALLOW_CHUNKED is set';
      return { refusal: { code: 'LENGTH_REQUIRED', message }, close: true };
    }
    if (head.contentLength > maxPayloadSize) {
      return {
        refusal: tooLarge(`${head.contentLength} bytes`, maxPayloadSize),
        close: this.isTooLongToDiscard(head),
      };
    }
    if (head.contentType === undefined) {
      const message = 'the media type is not supported; allowed: application/json, application/msgpack';
      return { refusal: { code: 'UNSUPPORTED_MEDIA_TYPE', message }, close: false };
    }
    return undefined;
  }

  private isTooLongToDiscard({ contentLength }: RequestHead): boolean {
    return contentLength > this.options.maxPayloadSize * DISCARDED_BODY_LIMITS;
  }

  private receive(pending: PendingTask, chunk: ArrayBuffer, isLast: boolean): void {
    if (pending.isOver) return;
    try {
      const { maxPayloadSize, admission } = this.options;
      const size = pending.bytes + chunk.byteLength;
      if (size > maxPayloadSize) {
        pending.refuse(tooLarge(`more than ${maxPayloadSize} bytes`, maxPayloadSize), true);
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
    let payload: Buffer;
    let due: Due | undefined;
    try {
      const decoded = decodeBody(body, contentType, maxDepth);
      if (!route.validator.check(decoded.value)) {
        const details = route.validator.faults(decoded.value);
        pending.refuse({
          code: 'VALIDATION_ERROR',
          message: 'the body does not have the form asked for',
          details,
        });
        return;
      }
      payload = decoded.payload;
      due = dueOf(decoded.value as Envelope); // the validator let it through
    } catch (error) {
      if (!(error instanceof SluiceError && isRefusalCode(error.code))) throw error;
      pending.refuse({ code: error.code, message: error.message, details: error.details });
      return;
    }
    this.append(pending, payload, due);
  }

  private append(pending: PendingTask, payload: Buffer, due: Due | undefined): void {
    const { batcher, ackMode } = this.options;
    const { route } = pending;
    if (!batcher.isUp) {
      pending.refuse(unavailable('REDIS_UNAVAILABLE'));
      return;
    }
    if (due === undefined) route.backlog.appended++;
    batcher.append(due === undefined ? route.encode : route.encodeDelayed(due), pending, isoNow(), payload);
    if (ackMode === 'received') pending.accept();
  }

  leave(bytes: number): void {
    this.options.admission.requests--;
    this.options.admission.bytes -= bytes;
  }

  accepted(response: HttpResponse, task: TaskName, dueAt: number | undefined): void {
    this.options.counters.accepted++;
    if (dueAt === undefined) {
      const head = this.options.access === undefined ? ACCEPTED_HEAD : acceptedHeadFor(response);
      this.acceptedBody.answer(response, head, task, this.draining);
    } else answerAcceptedForLater(response, task, this.options.ackMode, dueAt, this.draining);
  }

  refuse(response: HttpResponse, refusal: Refusal, close: boolean, withBody = true): void {
    const { refused } = this.options.counters;
    refused[refusal.code] = (refused[refusal.code] ?? 0) + 1;
    answerRefusal(response, refusal, close || this.draining, withBody);
  }

  appendEnded(failure: AppendFailure | undefined): void {
    if (failure === undefined) this.options.counters.appended++;
    else this.options.onAppendRefused(failure.code, failure.reason);
  }

  abandoned(): void {
    this.options.counters.aborted++;
  }
}

const INTERNAL_ERROR: Refusal = {
  code: 'INTERNAL_ERROR',
  message: 'the service failed; nothing is known of the task',
};

function ambiguous(why: string): Refusal {
  return { code: 'BAD_REQUEST', message: `the request is ambiguous: ${why}` };
}

function tooLarge(size: string, limit: number): Refusal {
  return { code: 'PAYLOAD_TOO_LARGE', message: `the body has ${size}; allowed: up to ${limit} bytes` };
}

let isoMillisecond = 0;
let isoText = '';

/** The current time, ISO 8601; made once per millisecond. */
function isoNow(): string {
  const now = Date.now();
  if (now !== isoMillisecond) {
    isoMillisecond = now;
    isoText = new Date(now).toISOString();
  }
  return isoText;
}
