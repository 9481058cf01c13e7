/** How many tasks of a type may be started in a time, by all consumers of the group together. */
export interface RateLimit {
  /** Starts, retries included. */
  readonly tasks: number;
  readonly perSeconds: number;
}

/** Part of the window within which a task is started that was handed out, or given back. */
const GRACE = 0.05;
const LEAST_GRACE_MS = 20;
const MOST_GRACE_MS = 500;

/** A rate limit as this thread applies it. The count is in Redis, one for the whole group; see rate-limit.lua. */
export class LaneRate {
  /** As the scripts take it. */
  readonly policy: string;
  /** How long after it was asked for a task may be started; a later start could fall into a window that is full. */
  readonly graceMs: number;

  constructor({ tasks, perSeconds }: RateLimit) {
    const windowMs = Math.ceil(perSeconds * 1000);
    this.graceMs = Math.ceil(Math.min(MOST_GRACE_MS, Math.max(LEAST_GRACE_MS, windowMs * GRACE)));
    this.policy = [tasks, windowMs, this.graceMs].join(' ');
  }
}
