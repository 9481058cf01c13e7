import { PARKED } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { rangeOf } from '../reading/entry-id.js';
import type { LaneKeys } from '../redis/group.js';
import { buryScript, doneScript, parkScript, releaseScript } from '../redis/scripts.js';
import type { BreakerNews, BreakerReport } from './breaker.js';
import type { Blame, Dead } from './outcome.js';

/** Entries that a script left alone. */
export interface LeftAlone {
  /** Not pending for the consumer any more: someone else has taken them over. */
  readonly fenced: readonly string[];
  /** No longer in the stream: someone deleted or trimmed them while they were pending. */
  readonly lost: readonly string[];
}

/** Entries that a script has parked, the others aside. */
export interface Parked extends LeftAlone {
  /** How the breaker of the lane stands now, where the script has looked. */
  readonly breaker?: BreakerReport;
}

/** Entries that a script has buried, the others aside. */
export interface Buried extends Parked {
  /** The breaker was open, or has opened: they were parked. */
  readonly pardoned?: readonly string[];
  /** Nothing was done to them: whether the breaker opens will be clear soon. */
  readonly undecided?: readonly string[];
}

/** A done task whose status can be asked for. */
export interface TrackedEntry {
  readonly id: string;
  readonly taskId: string;
}

/** A task that is to be set aside until its next attempt. */
export interface ToPark {
  readonly id: string;
  readonly deliveries: number;
  readonly delayMs: number;
  readonly blame: Blame;
  /** How long ago its run started. */
  readonly ranMs: number;
  /** The last round of the breaker that was over when it started; left out where nobody knows. */
  readonly roundOver?: number;
}

/** A task that is to be moved to the dead-letter stream. */
export interface ToBury {
  readonly id: string;
  readonly deliveries: number;
  readonly outcome: Dead;
  readonly ranMs: number;
  readonly roundOver?: number;
  /** There is time to find out whether its failure was one of many. */
  readonly canWait: boolean;
}

/** Whether a failure counts for the breaker, and whether it may be excused; as the scripts take it. */
export type BreakerFlags = readonly [counts: 0 | 1, excusable: 0 | 1];

/** How a run that is given back had gone; see release.lua. */
export type ReleaseReason = 'unstarted' | 'excused' | 'crashed';

/** Writes what became of entries that one consumer owns. Each method is one atomic script. */
export class OutcomeWriter {
  readonly #group: string;
  readonly #consumer: string;

  constructor(group: string, consumer: string) {
    this.#group = group;
    this.#consumer = consumer;
  }

  /**
   * Acknowledges tasks that are done.
   *
   * @param tracked those of them that are tracked
   */
  async acknowledge(
    redis: Redis,
    keys: LaneKeys,
    ids: readonly string[],
    tracked: readonly TrackedEntry[],
  ): Promise<LeftAlone> {
    const { lowest, highest } = rangeOf(ids);
    const fenced = await doneScript.run(
      redis,
      [keys.stream, keys.attempts, keys.ledger],
      [
        this.#group,
        this.#consumer,
        lowest,
        highest,
        tracked.length,
        ...tracked.flatMap(({ id, taskId }) => [id, taskId]),
        ...ids,
      ],
    );
    return { fenced: fenced as string[], lost: [] }; // as done.lua returns it
  }

  /** Sets failed tasks aside until they are due again. */
  async park(redis: Redis, keys: LaneKeys, entries: readonly ToPark[], news: BreakerNews): Promise<Parked> {
    const { lowest, highest } = rangeOf(entries.map((entry) => entry.id));
    const reply = await parkScript.run(
      redis,
      [keys.stream, keys.attempts, keys.retries, keys.ledger, keys.breaker, keys.failures],
      [
        this.#group,
        this.#consumer,
        PARKED,
        lowest,
        highest,
        news.policy,
        news.successes,
        ...entries.flatMap((entry) => [
          entry.id,
          entry.deliveries,
          entry.delayMs,
          ...this.flagsOf(entry.blame),
          entry.ranMs,
          entry.roundOver ?? '',
        ]),
      ],
    );
    const [fenced, lost, breaker] = reply as [string[], string[], BreakerReport]; // as park.lua returns it
    return { fenced, lost, breaker };
  }

  /** Moves tasks to the dead-letter stream. */
  async bury(redis: Redis, keys: LaneKeys, entries: readonly ToBury[], news: BreakerNews): Promise<Buried> {
    const { lowest, highest } = rangeOf(entries.map((entry) => entry.id));
    const reply = await buryScript.run(
      redis,
      [keys.stream, keys.attempts, keys.retries, keys.ledger, keys.deadLetters, keys.breaker, keys.failures],
      [
        this.#group,
        this.#consumer,
        PARKED,
        lowest,
        highest,
        news.policy,
        news.successes,
        ...entries.flatMap(({ id, deliveries, outcome, ranMs, roundOver, canWait }) => [
          id,
          outcome.reason,
          outcome.attempts,
          outcome.crashes,
          outcome.evidence.name,
          outcome.evidence.message,
          outcome.evidence.stack,
          deliveries,
          outcome.delayMs,
          ...this.flagsOf(outcome.blame),
          ranMs,
          roundOver ?? '',
          canWait ? 1 : 0,
        ]),
      ],
    );
    const [fenced, lost, breaker, pardoned, undecided] = reply as [
      string[],
      string[],
      BreakerReport,
      string[],
      string[],
    ]; // as bury.lua returns it
    return { fenced, lost, breaker, pardoned, undecided };
  }

  /** Gives entries back that the consumer will not work off; they are due at once. */
  async release(
    redis: Redis,
    keys: LaneKeys,
    entries: readonly { id: string; reason: ReleaseReason }[],
  ): Promise<LeftAlone> {
    const { lowest, highest } = rangeOf(entries.map((entry) => entry.id));
    const reply = await releaseScript.run(
      redis,
      [keys.stream, keys.attempts, keys.retries, keys.ledger],
      [
        this.#group,
        this.#consumer,
        PARKED,
        lowest,
        highest,
        ...entries.flatMap((entry) => [entry.id, entry.reason]),
      ],
    );
    const [fenced, lost] = reply as [string[], string[]]; // as release.lua returns it
    return { fenced, lost };
  }

  protected flagsOf(blame: Blame): BreakerFlags {
    return [blame === 'downstream' ? 1 : 0, blame === 'task' ? 0 : 1];
  }
}
