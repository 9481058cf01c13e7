import type { Redis } from 'ioredis';
import type { LaneKeys } from './group.js';
import { type LeftAlone, OutcomeWriter } from './outcome-writer.js';

/**
 * Promises that a consumer can be made to break on purpose, for the negative controls of the tests: a test that does
 * not fail with the promise broken has shown nothing. Not an option: the symbol cannot be set by accident.
 */
export const BREAK = Symbol.for('sluice.break');

export type Broken =
  /** Acknowledges tasks before their handler has run. */
  | 'acknowledge-first'
  /** Writes the outcome of tasks that others have taken over. */
  | 'no-fencing'
  /** Lets the leases of long tasks run out. */
  | 'no-renewal'
  /** Leaves what dead consumers held where it is. */
  | 'no-take-over'
  /** Forgets that an attempt has failed. */
  | 'no-attempt-count'
  /** Tries again at once. */
  | 'no-backoff'
  /** Retries by appending a copy, which every group of the stream sees. */
  | 'retry-by-append'
  /** Deletes what it has acknowledged, whoever else has yet to read it. */
  | 'delete-when-settled';

/** The writer of a consumer: as it should be, unless it is asked to be broken. */
export function outcomeWriter(group: string, consumer: string, broken: Broken | undefined): OutcomeWriter {
  return broken === undefined
    ? new OutcomeWriter(group, consumer)
    : new BrokenOutcomeWriter(group, consumer, broken);
}

class BrokenOutcomeWriter extends OutcomeWriter {
  readonly #groupName: string;
  readonly #broken: Broken;

  constructor(group: string, consumer: string, broken: Broken) {
    super(group, consumer);
    this.#groupName = group;
    this.#broken = broken;
  }

  override async acknowledge(redis: Redis, keys: LaneKeys, ids: readonly string[]): Promise<LeftAlone> {
    const left = await super.acknowledge(redis, keys, ids);
    if (this.#broken === 'delete-when-settled') await redis.xdel(keys.stream, ...ids);
    if (this.#broken === 'no-fencing' && left.fenced.length > 0) {
      const acknowledged = await redis.xack(keys.stream, this.#groupName, ...left.fenced);
      await redis.xdel(keys.stream, ...left.fenced);
      await redis.hincrby(keys.ledger, 'done', acknowledged);
      return { fenced: [], lost: [] };
    }
    return left;
  }

  override async park(
    redis: Redis,
    keys: LaneKeys,
    entries: readonly { id: string; deliveries: number; delayMs: number }[],
  ): Promise<LeftAlone> {
    switch (this.#broken) {
      case 'no-attempt-count':
        return super.release(
          redis,
          keys,
          entries.map(({ id }) => ({ id, reason: 'excused' })),
        );
      case 'no-backoff':
        return super.park(
          redis,
          keys,
          entries.map((entry) => ({ ...entry, delayMs: 0 })),
        );
      case 'retry-by-append':
        await appendCopies(redis, keys.stream, entries);
        return super.park(redis, keys, entries);
      default:
        return super.park(redis, keys, entries);
    }
  }
}

/** Appends entries a second time; a copy is not copied again, or there would be no end to it. */
async function appendCopies(redis: Redis, stream: string, entries: readonly { id: string }[]): Promise<void> {
  for (const { id } of entries) {
    const [entry] = await redis.xrange(stream, id, id);
    if (entry === undefined || entry[1].includes('copy_of')) continue;
    await redis.xadd(stream, '*', ...entry[1], 'copy_of', id);
  }
}
