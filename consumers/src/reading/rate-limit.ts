/** How many tasks of a type may be started in a time, by all consumers of the group together. */
export interface RateLimit {
  /** Starts, retries included. */
  readonly tasks: number;
  readonly perSeconds: number;
}

/** Part of the window for which a task that was handed out keeps its place beyond the window itself. */
const GRACE = 0.1;
const LEAST_GRACE_MS = 20;
const MOST_GRACE_MS = 1000;

/** Part of the grace within which it is started, or given back. The rest is for threads that are kept from the CPU then. */
const TO_START = 0.5;

/** A rate limit as this thread applies it. The count is in Redis, one for the whole group; see rate-limit.lua. */
export class LaneRate {
  /** As the scripts take it. */
  readonly policy: string;
  /** How long after it was asked for a task may be started; a later start could fall into a window that is full. */
  readonly startWithinMs: number;

  constructor({ tasks, perSeconds }: RateLimit) {
    const windowMs = Math.ceil(perSeconds * 1000);
    const graceMs = Math.ceil(Math.min(MOST_GRACE_MS, Math.max(LEAST_GRACE_MS, windowMs * GRACE)));
    this.startWithinMs = graceMs * TO_START;
    this.policy = [tasks, windowMs, graceMs].join(' ');
  }
}
