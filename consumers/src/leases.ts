import { monotonicMs } from './clock.js';
import { rangeOf } from './entry-id.js';
import type { LaneKeys } from './group.js';
import type { RedisLink } from './redis-link.js';
import { renewScript } from './scripts.js';
import type { WorkerThread } from './worker-thread.js';

/** Bound of one script call. */
const CHUNK = 500;

/**
 * Renews the leases of what the threads hold: long tasks stay with the consumer that runs them.
 *
 * Exactly what is on their boards and nothing else. Renewing all that is pending for a consumer would also keep
 * entries that it never got, because the reply was lost, and nobody would ever run those.
 */
export class Leases {
  readonly #group: string;
  readonly #lanes: readonly LaneKeys[];
  readonly #link: RedisLink;
  /** Time between two renewals; entries held for less than this were delivered recently enough. */
  readonly intervalMs: number;
  #renewedAt = monotonicMs();

  constructor(group: string, lanes: readonly LaneKeys[], link: RedisLink, leaseSeconds: number) {
    this.#group = group;
    this.#lanes = lanes;
    this.#link = link;
    // An entry is then renewed when it is at most two thirds of a lease old, and one renewal may fail.
    this.intervalMs = (leaseSeconds * 1000) / 3;
  }

  /** Whether the last renewal is longer ago than it should be. */
  get overdue(): boolean {
    return monotonicMs() - this.#renewedAt > this.intervalMs * 1.5;
  }

  async renew(threads: readonly WorkerThread[]): Promise<void> {
    this.#renewedAt = monotonicMs();
    const heldBefore = monotonicMs() - this.intervalMs;
    for (const thread of threads) {
      const old = thread.board.held().filter((entry) => entry.heldSince < heldBefore);
      for (const [index, lane] of this.#lanes.entries()) {
        const ids = old.filter((entry) => entry.lane === index).map((entry) => entry.id);
        for (let i = 0; i < ids.length; i += CHUNK) {
          const chunk = ids.slice(i, i + CHUNK);
          const { lowest, highest } = rangeOf(chunk);
          // Ids whose lease is lost already need nothing: their outcome will be fenced.
          await renewScript.run(
            this.#link.redis,
            [lane.stream, lane.attempts, lane.ledger],
            [this.#group, thread.consumer, lowest, highest, ...chunk],
          );
        }
      }
    }
  }
}
