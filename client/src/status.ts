import { errorIn, parsed, whyNone } from './answer.js';
import { backOffMs, RETRIED, retryAfterMs } from './back-off.js';
import { pause, timeoutSignal } from './pause.js';
import { type TaskStatus, taskStatusOf } from './task-status.js';

export interface StatusOptions {
  /** Ends the asking. */
  signal?: AbortSignal;
}

/** Who is asked, and how long. */
export interface Asking {
  readonly base: string;
  readonly fetch: typeof fetch;
  readonly apiKey: string | undefined;
  readonly timeoutSeconds: number;
  readonly attemptTimeoutSeconds: number;
}

/** What became of a task could not be found out. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  /**
   * The code Sluice answered with (`TRACKING_OFF`, `UNAUTHORIZED` …), or one of the client: `UNREACHABLE` no answer came,
   * `UNREADABLE_ANSWER` it was none of Sluice's, `ABORTED` by its signal.
   */
  readonly code: string;
  /** Status of the last answer; undefined when none came. */
  readonly status: number | undefined;

  constructor(message: string, facts: { code: string; status?: number | undefined; cause?: unknown }) {
    super(message, { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status;
  }
}

/** What one attempt came to. */
type Attempt =
  | { readonly kind: 'told'; readonly status: TaskStatus | undefined }
  | {
      readonly kind: 'not told';
      readonly error: StatusError;
      readonly mayRetry: boolean;
      readonly waitMs: number;
    };

/** Asks until it is told, or time is up. */
export async function askStatus(
  asking: Asking,
  taskId: string,
  { signal }: StatusOptions,
): Promise<TaskStatus | undefined> {
  const deadline = performance.now() + asking.timeoutSeconds * 1000;
  for (let attempts = 1; ; attempts++) {
    if (signal?.aborted === true) throw new StatusError('the asking was aborted', { code: 'ABORTED' });
    const attempt = await askOnce(asking, taskId, signal);
    if (attempt.kind === 'told') return attempt.status;
    const waitMs = backOffMs(attempts, attempt.waitMs, Math.random());
    if (!attempt.mayRetry || performance.now() + waitMs > deadline) throw attempt.error;
    await pause(waitMs, signal);
  }
}

async function askOnce(asking: Asking, taskId: string, signal: AbortSignal | undefined): Promise<Attempt> {
  const { base, apiKey, attemptTimeoutSeconds, fetch } = asking;
  const timeout = timeoutSignal(attemptTimeoutSeconds);
  const headers: Record<string, string> = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${base}/tasks/${encodeURIComponent(taskId)}`, {
      headers,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    text = await response.text();
  } catch (cause) {
    const error = new StatusError(`no answer from ${base}: ${whyNone(cause)}`, {
      code: 'UNREACHABLE',
      cause,
    });
    return { kind: 'not told', error, mayRetry: true, waitMs: 0 };
  }
  const { status, headers: answered } = response;
  const body = parsed(text);
  const task = status === 200 ? taskStatusOf(body) : undefined;
  if (task !== undefined) return { kind: 'told', status: task };
  const { code, message } = errorIn(body) ?? {};
  if (code === 'TASK_NOT_FOUND') return { kind: 'told', status: undefined };
  const error =
    typeof code === 'string' && typeof message === 'string'
      ? new StatusError(message, { code, status })
      : new StatusError(`the answer (status ${status}) is none of Sluice: is the url right?`, {
          code: 'UNREADABLE_ANSWER',
          status,
        });
  const waitMs = retryAfterMs(answered.get('Retry-After'), Date.now());
  return { kind: 'not told', error, mayRetry: RETRIED.has(status), waitMs };
}
