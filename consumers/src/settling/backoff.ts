/** How long to wait between the attempts of a task. */
export interface Backoff {
  /** Wait after the first failure, in milliseconds; it doubles with each further one. */
  readonly baseMs: number;
  /** No wait grows beyond this, in milliseconds, jitter aside. */
  readonly maxMs: number;
  /** Up to this fraction is added at random, so that tasks that failed together do not come back together. */
  readonly jitter: number;
}

/**
 * Milliseconds to wait after the given number of failures. Jitter only adds: a task never comes back early.
 *
 * @param failed failed attempts so far, the last one included (1 or more)
 * @param random a number from 0 up to 1
 */
export function backoffMs(backoff: Backoff, failed: number, random: number): number {
  const wait = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (failed - 1));
  return Math.ceil(wait * (1 + backoff.jitter * random));
}
