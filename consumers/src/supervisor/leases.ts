import { rangeOf } from '../reading/entry-id.js';
import type { LaneKeys } from '../redis/group.js';
import type { RedisLink } from '../redis/redis-link.js';
import { renewScript } from '../redis/scripts.js';
import { monotonicMs } from '../thread/clock.js';
import type { LostLease } from '../thread/thread-messages.js';
import type { HeldEntry } from '../thread/thread-protocol.js';
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
  readonly #onLost: (thread: WorkerThread, lost: LostLease[]) => void;
  /** Time between two renewals; entries held for less than this were delivered recently enough. */
  readonly intervalMs: number;
  #renewedAt = monotonicMs();

  /** @param onLost told what others have taken over; again with each renewal while a thread still holds it */
  constructor(
    group: string,
    lanes: readonly LaneKeys[],
    link: RedisLink,
    leaseSeconds: number,
    onLost: (thread: WorkerThread, lost: LostLease[]) => void,
  ) {
    this.#group = group;
    this.#lanes = lanes;
    this.#link = link;
    this.#onLost = onLost;
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
        const entries = old.filter((entry) => entry.lane === index);
        for (let i = 0; i < entries.length; i += CHUNK) {
          await this.#renewChunk(thread, index, lane, entries.slice(i, i + CHUNK));
        }
      }
    }
  }

  async #renewChunk(
    thread: WorkerThread,
    index: number,
    lane: LaneKeys,
    chunk: readonly HeldEntry[],
  ): Promise<void> {
    const { lowest, highest } = rangeOf(chunk.map((entry) => entry.id));
    const reply = await renewScript.run(
      this.#link.redis,
      [lane.stream, lane.attempts, lane.ledger],
      [this.#group, thread.consumer, lowest, highest, ...chunk.flatMap((one) => [one.id, one.deliveries])],
    );
    const lost: LostLease[] = [];
    // As renew.lua returns it: positions in the chunk.
    for (const position of reply as number[]) {
      const entry = chunk[position];
      if (entry !== undefined) lost.push({ lane: index, id: entry.id, deliveries: entry.deliveries });
    }
    if (lost.length > 0) this.#onLost(thread, lost);
  }
}
