// Branded by a symbol of the registry, not told apart by `instanceof`: a handler may come with its own
// installed copy of this package.
const UNRECOVERABLE = Symbol.for('sluice.unrecoverable');
const RETRY_AFTER = Symbol.for('sluice.retry-after');

/** Thrown by a handler: do not try again, move the task to the dead-letter stream now. */
export class Unrecoverable extends Error {
  override readonly name = 'Unrecoverable';
  readonly [UNRECOVERABLE] = true;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
  }
}

/**
 * Thrown by a handler: this attempt failed, try again after this time and not earlier. Takes the place of the
 * back-off; the attempt counts like any other, so that a task cannot be put off for ever.
 */
export class RetryAfter extends Error {
  override readonly name = 'RetryAfter';
  readonly [RETRY_AFTER]: number;

  /**
   * @param ms milliseconds until the next attempt, at least 0
   * @throws RangeError when `ms` is negative or not a number
   */
  constructor(ms: number, message = `try again in ${ms} ms`, options?: { cause?: unknown }) {
    if (!(ms >= 0 && Number.isFinite(ms)))
      throw new RangeError(`RetryAfter needs 0 ms or more; given: ${ms}`);
    super(message, options);
    this[RETRY_AFTER] = ms;
  }
}

/** The handler did not settle within its time. */
export class TaskTimeout extends Error {
  override readonly name = 'TaskTimeout';

  constructor(timeoutMs: number) {
    super(`the handler did not settle within ${timeoutMs} ms`);
  }
}

/** The task was given to another consumer, as this one was not heard of for too long; or somebody deleted it. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor() {
    super('the lease of the task is lost: another consumer may be running it, and this run no longer counts');
  }
}

export function isUnrecoverable(thrown: unknown): boolean {
  return thrown instanceof Error && UNRECOVERABLE in thrown;
}

/** The delay that a handler asked for by throwing `RetryAfter`, in milliseconds. */
export function retryAfterOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error && RETRY_AFTER in thrown)) return undefined;
  const delay = thrown[RETRY_AFTER];
  return typeof delay === 'number' ? Math.ceil(delay) : undefined;
}
