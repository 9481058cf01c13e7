import type { ConsumerEvent } from '@sluice/telemetry';
import type { LaneKeys } from '../redis/group.js';

/** When the breaker of a task type opens, and for how long. */
export interface BreakerPolicy {
  /** Part of the runs that must fail, above 0 and up to 1. */
  readonly failureRate: number;
  /** Different tasks that must fail within the window. */
  readonly minimumFailures: number;
  readonly windowMs: number;
  /** The first time; it doubles each time the probes fail. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Tasks that the group tries at once when the time is over. */
  readonly probes: number;
}

/** What the scripts say of a breaker, as breaker.lua returns it. */
export type BreakerReport = readonly [
  state: 'closed' | 'open' | 'half-open',
  round: number,
  opensInMs: number,
  /** What this very call has made of it. */
  change: '' | 'opened' | 'half-open' | 'closed',
  failed: number,
  succeeded: number,
];

/** What the scripts are told besides the outcomes they write. */
export interface BreakerNews {
  /** Empty without a breaker. */
  readonly policy: string;
  /** Runs that ended well and that Redis has not been told of. */
  readonly successes: number;
}

/** For those who settle in the name of others, and know nothing of a breaker. */
export const NO_NEWS: BreakerNews = { policy: '', successes: 0 };

/**
 * The breaker of one lane, as this thread knows it. The breaker itself is in Redis, one for the whole group, and changes
 * only there; every script that settles failures or hands out entries says how it stands, at least once a second.
 *
 * Tasks that end well are only counted here. The count goes along with the next call that is made anyway, so that they
 * cost nothing.
 */
export class LaneBreaker {
  /** As the scripts take it; empty without a breaker. */
  readonly policy: string;
  /** How long the verdict on a last attempt may take. */
  readonly windowMs: number;
  #state: BreakerReport[0] = 'closed';
  #round = 0;
  #successes = 0;
  #probeSuccesses = 0;

  constructor(policy?: BreakerPolicy) {
    this.windowMs = policy?.windowMs ?? 0;
    this.policy =
      policy === undefined
        ? ''
        : [
            policy.failureRate,
            policy.minimumFailures,
            Math.ceil(policy.windowMs),
            Math.ceil(policy.openMs),
            Math.ceil(policy.openMaxMs),
            policy.probes,
          ].join(' ');
  }

  get state(): BreakerReport[0] {
    return this.#state;
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** The round that entries belong to which are handed out now; 0 when they are no probes. */
  get round(): number {
    return this.#state === 'half-open' ? this.#round : 0;
  }

  /**
   * The last round that is known to be over. A run that starts now and ends when a later one is has met a breaker that
   * was not closed, however long its outcome was on its way.
   */
  get roundOver(): number {
    return this.closed ? this.#round : this.#round - 1;
  }

  /** Takes note of runs that ended well. */
  succeeded(runs: readonly { round: number }[]): void {
    this.#successes += runs.length;
    const { round } = this;
    if (round === 0) return;
    for (const run of runs) if (run.round === round) this.#probeSuccesses += 1;
  }

  /** What to tell Redis with the next failures. It is told only once. */
  takeNews(): BreakerNews {
    const successes = this.#successes;
    this.#successes = 0;
    return { policy: this.policy, successes };
  }

  /** The same, with the probes that ended well and their round. */
  takeAllNews(): BreakerNews & { probeSuccesses: number; round: number } {
    const probeSuccesses = this.#probeSuccesses;
    this.#probeSuccesses = 0;
    return { ...this.takeNews(), probeSuccesses, round: this.round };
  }

  /** Takes in what Redis says. Returns whether it is another state than before. */
  learn([state, round]: BreakerReport): boolean {
    const changed = state !== this.#state || round !== this.#round;
    if (changed) this.#probeSuccesses = 0;
    this.#state = state;
    this.#round = round;
    return changed;
  }
}

/** The event to report, when a call has changed a breaker. Over the whole group it is reported once. */
export function breakerEvent(
  [, , opensInMs, change, failed, succeeded]: BreakerReport,
  { stream, taskType }: LaneKeys,
): ConsumerEvent | undefined {
  switch (change) {
    case '':
      return undefined;
    case 'opened':
      return { type: 'breaker-opened', stream, taskType, failed, succeeded, openMs: opensInMs };
    case 'half-open':
      return { type: 'breaker-half-open', stream, taskType };
    case 'closed':
      return { type: 'breaker-closed', stream, taskType };
  }
}
