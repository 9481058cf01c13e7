import { errorIn, parsed, whyNone } from './answer.js';
import { backOffMs, RETRIED, retryAfterMs } from './back-off.js';
import { checkBounds, checkReachable } from './bounds.js';
import { pause, timeoutSignal } from './pause.js';
import { Places } from './places.js';
import { type ErrorDetail, SendError } from './send-error.js';
import { askStatus, type StatusOptions } from './status.js';
import type { TaskStatus } from './task-status.js';

/** How the task was taken. */
export interface Receipt {
  readonly taskId: string;
  /** The level of acknowledgement that was reached, as the server states it. */
  readonly ack: string;
  /** When a delayed task will enter its stream, ISO 8601. */
  readonly runAt: string | undefined;
  /** An earlier request with the same key had stored it. */
  readonly replayed: boolean;
  /** How often it was sent. */
  readonly attempts: number;
}

export interface SendOptions {
  /** Task type; its schema holds for the data. @default none: any data is taken */
  type?: string;
  /** Goes along with the data. */
  metadata?: Record<string, unknown>;
  /** Seconds until it is due. */
  delaySeconds?: number;
  /** When it is due; only one of the two. */
  runAt?: Date;
  /** Names the task: whoever sends the same key again stores nothing. @default a random one */
  idempotencyKey?: string;
  /** Level of acknowledgement to ask for: `received`, `appended`, `replicated`, `fsynced`. @default what the server does */
  ack?: string;
  /** W3C traceparent that the task is to carry on. */
  traceparent?: string;
  /** Ends the sending; the task may have been stored. */
  signal?: AbortSignal;
}

export interface ClientOptions {
  /** Where Sluice listens, such as `https://intake.example.com`. */
  url: string;
  /** Sent as `Authorization: Bearer …`. */
  apiKey?: string;
  /** Seconds after which no further attempt is begun, and a task that still waits for its turn fails. @default 30 */
  timeoutSeconds?: number;
  /** Seconds for one attempt. @default 5 */
  attemptTimeoutSeconds?: number;
  /** Requests under way at once. @default 64 */
  maxInFlight?: number;
  /**
   * Tasks that wait for their turn beyond that; further ones fail with `QUEUE_FULL`, and those that wait too long with
   * `QUEUE_TIMEOUT`. @default 10000
   */
  maxWaiting?: number;
  /** In place of the `fetch` of the platform. */
  fetch?: typeof fetch;
}

/** Sends tasks to Sluice, and asks what became of them. */
export interface Client {
  /**
   * Sends one task, and resolves when it is accepted. Where nothing can be wrong with the task itself (no answer, 503, 408,
   * 429), it is sent again, with back-off and the same idempotency key, so that it is stored once however often it was sent.
   *
   * @throws SendError when it was refused, or could not be brought in within `timeoutSeconds`
   */
  send(data: unknown, options?: SendOptions): Promise<Receipt>;
  /**
   * Asks what became of a task, where the service keeps track of them (`TRACK_TASKS`). Undefined when it knows none with
   * this id, or not any more, or not for the holder of this key. Asks again where it may help, as `send` does.
   *
   * @throws StatusError when the service does not keep track, or did not say within `timeoutSeconds`
   */
  status(taskId: string, options?: StatusOptions): Promise<TaskStatus | undefined>;
}

/** What one attempt came to. */
type Attempt =
  | { kind: 'accepted'; receipt: Omit<Receipt, 'attempts'> }
  | {
      kind: 'refused';
      code: string;
      message: string;
      status: number | undefined;
      details: readonly ErrorDetail[];
      mayBeStored: boolean;
      mayRetry: boolean;
      retryAfterMs: number;
      cause?: unknown;
    };

/** Codes with which Sluice says that nothing was stored; any other failure of a server leaves that open. */
const STORED_NOTHING = new Set([
  'OVERLOADED',
  'ACK_LEVEL_UNAVAILABLE',
  'SHUTTING_DOWN',
  'REDIS_UNAVAILABLE',
  'APPEND_REFUSED',
  'REQUEST_TIMEOUT',
]);

/**
 * A client; it holds no connection open by itself, and need not be closed.
 *
 * @throws RangeError when an option is out of its bounds: times above 0 and at most 2147483 s, `maxInFlight` from 1, a `url`
 * that can be sent to, an `apiKey` that a header can hold
 */
export function createClient(options: ClientOptions): Client {
  const { timeoutSeconds = 30, attemptTimeoutSeconds = 5, maxInFlight = 64, maxWaiting = 10_000 } = options;
  checkBounds({ timeoutSeconds, attemptTimeoutSeconds, maxInFlight, maxWaiting });
  checkReachable(options.url, options.apiKey);
  const base = options.url.replace(/\/+$/, '');
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const places = new Places(maxInFlight, maxWaiting);

  return {
    async send(data, sending = {}) {
      const idempotencyKey = sending.idempotencyKey ?? crypto.randomUUID();
      const failed = (code: string, message: string, attempts: number, mayBeStored: boolean) =>
        new SendError(message, { code, attempts, mayBeStored, idempotencyKey });
      const deadline = performance.now() + timeoutSeconds * 1000;
      const turn = places.take(timeoutSeconds * 1000, sending.signal);
      if (turn === undefined) {
        throw failed(
          'QUEUE_FULL',
          `${maxWaiting} tasks are waiting to be sent; allowed: that many`,
          0,
          false,
        );
      }
      const ended = await turn;
      if (ended === 'aborted') throw failed('ABORTED', 'the sending was aborted', 0, false);
      if (ended === 'too late') {
        throw failed(
          'QUEUE_TIMEOUT',
          `its turn did not come within ${timeoutSeconds} s: ${maxInFlight} requests are under way, and others waited for longer`,
          0,
          false,
        );
      }
      try {
        const request = written(data, sending, idempotencyKey);
        let mayBeStored = false;
        for (let attempts = 1; ; attempts++) {
          if (sending.signal?.aborted === true) {
            throw failed('ABORTED', 'the sending was aborted', attempts - 1, mayBeStored);
          }
          const attempt = await tryOnce(request);
          if (attempt.kind === 'accepted') return { ...attempt.receipt, attempts };
          mayBeStored ||= attempt.mayBeStored;
          const waitMs = backOffMs(attempts, attempt.retryAfterMs, Math.random());
          if (!attempt.mayRetry || performance.now() + waitMs > deadline) {
            throw new SendError(attempt.message, { ...attempt, attempts, mayBeStored, idempotencyKey });
          }
          await pause(waitMs, sending.signal);
        }
      } finally {
        places.leave();
      }
    },
    status: (taskId, asking = {}) =>
      askStatus(
        { base, fetch: send, apiKey: options.apiKey, timeoutSeconds, attemptTimeoutSeconds },
        taskId,
        asking,
      ),
  };

  function written(data: unknown, sending: SendOptions, idempotencyKey: string) {
    try {
      return requestOf(data, sending, idempotencyKey);
    } catch (cause) {
      const message = `the task cannot be written as a request: ${whyNone(cause)}`;
      const facts = { code: 'UNSENDABLE', attempts: 0, mayBeStored: false };
      throw new SendError(message, { ...facts, idempotencyKey, cause });
    }
  }

  function requestOf(
    data: unknown,
    sending: SendOptions,
    idempotencyKey: string,
  ): { path: string; init: RequestInit } {
    const { type, metadata, delaySeconds, runAt, ack, traceparent, signal } = sending;
    const body = JSON.stringify({ data, metadata, delay: delaySeconds, run_at: runAt?.toISOString() });
    // Throws at what no header can hold, which `fetch` would do too, at every attempt, as if the server were away.
    const headers = new Headers({ 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey });
    if (options.apiKey !== undefined) headers.set('Authorization', `Bearer ${options.apiKey}`);
    if (ack !== undefined) headers.set('Prefer', `ack=${ack}`);
    if (traceparent !== undefined) headers.set('traceparent', traceparent);
    const path = type === undefined ? '/tasks' : `/tasks/${encodeURIComponent(type)}`;
    return { path, init: { method: 'POST', headers, body, ...(signal === undefined ? {} : { signal }) } };
  }

  async function tryOnce({ path, init }: { path: string; init: RequestInit }): Promise<Attempt> {
    const timeout = timeoutSignal(attemptTimeoutSeconds);
    const signal = init.signal == null ? timeout : AbortSignal.any([init.signal, timeout]);
    let response: Response;
    let text: string;
    try {
      response = await send(base + path, { ...init, signal });
      text = await response.text();
    } catch (cause) {
      const message = `no answer from ${base}: ${whyNone(cause)}`;
      const facts = { code: 'UNREACHABLE', message, status: undefined, details: [], cause };
      return { kind: 'refused', ...facts, mayBeStored: true, mayRetry: true, retryAfterMs: 0 };
    }
    return attemptOf(response, text);
  }
}

function attemptOf(response: Response, text: string): Attempt {
  const { status, headers } = response;
  const body = parsed(text);
  if (status === 202 && typeof body?.task_id === 'string') {
    const { task_id: taskId, ack, run_at } = body;
    const replayed = headers.get('Idempotency-Replayed') === 'true';
    const runAt = typeof run_at === 'string' ? run_at : undefined;
    return { kind: 'accepted', receipt: { taskId, ack: String(ack), runAt, replayed } };
  }
  const mayRetry = RETRIED.has(status);
  const wait = retryAfterMs(headers.get('Retry-After'), Date.now());
  const { code, message, details } = errorIn(body) ?? {};
  if (typeof code !== 'string' || typeof message !== 'string') {
    const told = `the answer (status ${status}) is none of Sluice: is the url right?`;
    const facts = { code: 'UNREADABLE_ANSWER', message: told, status, details: [] };
    return {
      kind: 'refused',
      ...facts,
      mayBeStored: status >= 500 || status === 202,
      mayRetry,
      retryAfterMs: wait,
    };
  }
  const facts = { code, message, status, details: Array.isArray(details) ? (details as ErrorDetail[]) : [] };
  const mayBeStored = status >= 500 && !STORED_NOTHING.has(code);
  return { kind: 'refused', ...facts, mayBeStored, mayRetry, retryAfterMs: wait };
}
