import type { HttpResponse } from 'uWebSockets.js';
import { type ErrorCode, type Fault, TASK_ID_LENGTH } from '@sluice/contract';
import type { AckLevel } from '../append/ack-level.js';
import type { TaskName } from '../append/task-names.js';
import { WordCopier } from '../append/word-copier.js';
import { originLinesOf, writeOriginLines } from './origin-lines.js';

/** The status of each error the intake can answer with. The only such table in the engine. */
export const STATUS = {
  BAD_REQUEST: '400 Bad Request',
  INVALID_JSON: '400 Bad Request',
  INVALID_MSGPACK: '400 Bad Request',
  INVALID_UTF8: '400 Bad Request',
  INVALID_IDEMPOTENCY_KEY: '400 Bad Request',
  INVALID_PREFERENCE: '400 Bad Request',
  INVALID_TASK_ID: '400 Bad Request',
  UNAUTHORIZED: '401 Unauthorized',
  FORBIDDEN: '403 Forbidden',
  NOT_FOUND: '404 Not Found',
  UNKNOWN_TASK_TYPE: '404 Not Found',
  TASK_NOT_FOUND: '404 Not Found',
  TRACKING_OFF: '404 Not Found',
  METHOD_NOT_ALLOWED: '405 Method Not Allowed',
  REQUEST_TIMEOUT: '408 Request Timeout',
  LENGTH_REQUIRED: '411 Length Required',
  PAYLOAD_TOO_LARGE: '413 Payload Too Large',
  UNSUPPORTED_MEDIA_TYPE: '415 Unsupported Media Type',
  VALIDATION_ERROR: '422 Unprocessable Content',
  IDEMPOTENCY_KEY_REUSED: '422 Unprocessable Content',
  PAYLOAD_TOO_DEEP: '422 Unprocessable Content',
  FORBIDDEN_KEY: '422 Unprocessable Content',
  INTERNAL_ERROR: '500 Internal Server Error',
  OVERLOADED: '503 Service Unavailable',
  SHUTTING_DOWN: '503 Service Unavailable',
  REDIS_UNAVAILABLE: '503 Service Unavailable',
  APPEND_REFUSED: '503 Service Unavailable',
  APPEND_UNCONFIRMED: '503 Service Unavailable',
  ACK_LEVEL_UNAVAILABLE: '503 Service Unavailable',
  ACK_LEVEL_NOT_REACHED: '503 Service Unavailable',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** The errors a request can be answered with. */
export type RefusalCode = keyof typeof STATUS;

/** Whether a code is one that requests are answered with. */
export function isRefusalCode(code: ErrorCode): code is RefusalCode {
  return code in STATUS;
}

/** The status line of an error. */
export function statusOf(code: RefusalCode): string {
  return STATUS[code];
}

/** Seconds after which it is worth coming back; sent as `Retry-After` with nearly every 503 (RFC 9110, 10.2.3). */
const RETRY_AFTER_SECONDS = 1;

const MESSAGES = {
  OVERLOADED: 'the service has as much work as it can hold; nothing was stored, send it again later',
  SHUTTING_DOWN: 'the service is shutting down; nothing was stored, send it again',
  REDIS_UNAVAILABLE: 'the queue cannot be reached; nothing was stored, send it again later',
  APPEND_UNCONFIRMED:
    'the queue did not confirm the task in time; it may or may not have been stored: sent again, it may be stored twice, unless it has an Idempotency-Key',
  ACK_LEVEL_UNAVAILABLE:
    'the level of acknowledgement cannot be reached: the queue has no replica, or no file on disk, to confirm it; nothing was stored',
  ACK_LEVEL_NOT_REACHED:
    'the task is stored, but not at the level of acknowledgement asked for: no replica, or no disk, confirmed it in time; sent again, it is stored twice, unless it has an Idempotency-Key',
} as const;

/** One refusal: what is answered, and whether the connection can be used again. */
export interface Refusal {
  code: RefusalCode;
  message: string;
  details?: readonly Fault[] | undefined;
  /** Seconds after which it is worth coming back, where that can be told. @default 1, for a 503 */
  retryAfterSeconds?: number | undefined;
  /** Extra header lines, such as Allow. */
  headers?: readonly (readonly [string, string])[];
}

/** The refusal of what Redis refuses; `cause` is the code of its error, such as `OOM`. */
export function appendRefused(cause: string, retryAfterSeconds?: number): Refusal {
  const message = `the queue refuses tasks (${cause}): nothing was stored, send it again later`;
  return { code: 'APPEND_REFUSED', message, retryAfterSeconds };
}

/** A refusal because of the state of the service rather than of the request. */
export function unavailable(code: keyof typeof MESSAGES, retryAfterSeconds?: number): Refusal {
  return { code, message: MESSAGES[code], retryAfterSeconds };
}

/** The refusal of what failed because of a fault of ours. */
export const INTERNAL_ERROR: Refusal = {
  code: 'INTERNAL_ERROR',
  message: 'the service failed; nothing is known of the task',
};

// Each call into uWebSockets.js, and each string it has to turn into bytes, costs as much as all of the validation. So
// the header goes with the status, as bytes, and the body is one buffer in which only the task id is written anew.
const ACCEPTED_LINES = '202 Accepted\r\nContent-Type: application/json';
export const ACCEPTED_HEAD = bytesOf(ACCEPTED_LINES);
const TASK_ID_AT = '{"task_id":"'.length;

/** The beginning of a 202 with more header lines. */
export function acceptedHeadWith(headers: readonly (readonly [name: string, value: string])[]): ArrayBuffer {
  return bytesOf([ACCEPTED_LINES, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\r\n'));
}

/** The beginning of a 202 to the origin that asked. */
export function acceptedHeadFor(response: HttpResponse): ArrayBuffer {
  return originLinesOf(response)?.acceptedHead ?? ACCEPTED_HEAD;
}

/** The body of a 202, used again for the next one: uWebSockets.js has copied it when `end` returns. */
export class AcceptedBody {
  private readonly body: ArrayBuffer;
  private readonly bytes: Uint8Array;
  private readonly names = new WordCopier();

  /** @param ack the level of acknowledgement that was reached */
  constructor(ack: AckLevel) {
    this.body = bytesOf(`{"task_id":"${'0'.repeat(TASK_ID_LENGTH)}","ack":"${ack}"}`);
    this.bytes = new Uint8Array(this.body);
  }

  /** Answers 202. */
  answer(response: HttpResponse, head: ArrayBuffer, { names, nameAt }: TaskName, close: boolean): void {
    this.names.copy(names, nameAt, TASK_ID_LENGTH, this.bytes, TASK_ID_AT);
    response.writeStatus(head).end(this.body, close);
  }
}

/** What there is to say of a task that was not taken in at once and like all others. */
export interface Acceptance {
  readonly taskId: string;
  readonly ack: AckLevel;
  /** When it is due, if it was stored for later. */
  readonly dueAt: number | undefined;
  /** It was stored before, with the same idempotency key. */
  readonly replayed: boolean;
  /** The level is the one that was asked for. */
  readonly isPreferred: boolean;
  /** The span of the request, for those that have sent one along. */
  readonly traceparent: string | undefined;
}

/** Answers 202 to a task that was delayed, or whose request asked for more than others. */
export function answerAcceptance(response: HttpResponse, acceptance: Acceptance, close: boolean): void {
  const { taskId, ack, dueAt, replayed, isPreferred, traceparent } = acceptance;
  response.writeStatus(acceptedHeadFor(response));
  if (isPreferred) response.writeHeader('Preference-Applied', `ack=${ack}`);
  if (traceparent !== undefined) response.writeHeader('traceparent', traceparent);
  if (replayed) response.writeHeader('Idempotency-Replayed', 'true');
  const runAt = dueAt === undefined ? {} : { run_at: new Date(dueAt).toISOString() };
  response.end(JSON.stringify({ task_id: taskId, ack, ...runAt }), close);
}

/** What `Retry-After` says with an error; nothing where it is not worth coming back. */
export function retryAfterSecondsOf({ code, retryAfterSeconds }: Refusal): string | undefined {
  // Who sets up Redis has to help with the first, and sending again what is stored would store it twice.
  if (code === 'ACK_LEVEL_UNAVAILABLE' || code === 'ACK_LEVEL_NOT_REACHED') return undefined;
  return STATUS[code].startsWith('503') ? String(retryAfterSeconds ?? RETRY_AFTER_SECONDS) : undefined;
}

function bytesOf(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text)).buffer;
}

/**
 * Answers with an error in the form all of Sluice uses: `{"error": {"code", "message", "details"?}}`.
 *
 * @param traceparent the span of its request, for a client that has sent one along
 */
export function answerRefusal(
  response: HttpResponse,
  refusal: Refusal,
  close: boolean,
  traceparent: string | undefined,
  withBody: boolean,
): void {
  const { code, message, details } = refusal;
  const status = STATUS[code];
  response.writeStatus(status).writeHeader('Content-Type', 'application/json');
  const retryAfter = retryAfterSecondsOf(refusal);
  if (retryAfter !== undefined) response.writeHeader('Retry-After', retryAfter);
  if (traceparent !== undefined) response.writeHeader('traceparent', traceparent);
  for (const [name, value] of refusal.headers ?? []) response.writeHeader(name, value);
  const error = { code, message, ...(details === undefined ? {} : { details }) };
  endWith(response, { error }, close, withBody);
}

/**
 * Ends an answer with a JSON body. The answer to HEAD states its length and has none (RFC 9110, 9.3.2): the client
 * would take the bytes for its next answer.
 */
export function endWith(response: HttpResponse, body: object, close: boolean, withBody: boolean): void {
  writeOriginLines(response);
  const text = JSON.stringify(body);
  if (withBody) response.end(text, close);
  // With a length or `close` as arguments it would leave the answer open, and that ends the process.
  else response.writeHeader('Content-Length', String(Buffer.byteLength(text))).endWithoutBody();
}
