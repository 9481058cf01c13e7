import { PARKED } from '@sluice/contract';
import type { ConsumerListener } from '@sluice/telemetry';
import type { LaneKeys } from '../redis/group.js';
import type { RedisLink } from '../redis/redis-link.js';
import { recoverScript } from '../redis/scripts.js';

/** Entries freed by one script call. */
const MOST_FREED = 500;

/** A consumer that owns nothing and was not heard of for this many leases is gone, and no less than a minute. */
const GONE_AFTER_LEASES = 4;
const GONE_AFTER_AT_LEAST_MS = 60_000;

/** Answer of recover.lua. */
type Reply = [freed: [consumer: string, count: number][], lost: string[], removed: string[]];

/** Frees what consumers hold that are dead or frozen, whichever process they belong to. */
export class Recoverer {
  readonly #group: string;
  readonly #lanes: readonly LaneKeys[];
  readonly #link: RedisLink;
  readonly #leaseMs: number;
  readonly #report: ConsumerListener;

  constructor(
    group: string,
    lanes: readonly LaneKeys[],
    link: RedisLink,
    leaseSeconds: number,
    report: ConsumerListener,
  ) {
    this.#group = group;
    this.#lanes = lanes;
    this.#link = link;
    this.#leaseMs = Math.ceil(leaseSeconds * 1000);
    this.#report = report;
  }

  /** Returns whether something has been freed, which then is due for whoever looks first. */
  async recover(): Promise<boolean> {
    let any = false;
    for (const lane of this.#lanes) {
      let freed: number;
      do {
        freed = await this.#recoverLane(lane);
        any ||= freed > 0;
      } while (freed === MOST_FREED);
    }
    return any;
  }

  async #recoverLane({ stream, attempts, retries, ledger }: LaneKeys): Promise<number> {
    const reply = await recoverScript.run(
      this.#link.redis,
      [stream, attempts, retries, ledger],
      [
        this.#group,
        PARKED,
        this.#leaseMs,
        MOST_FREED,
        Math.max(GONE_AFTER_AT_LEAST_MS, GONE_AFTER_LEASES * this.#leaseMs),
      ],
    );
    const [freed, lost, removed] = reply as Reply; // as recover.lua returns it
    for (const [from, count] of freed) this.#report({ type: 'tasks-taken-over', stream, from, count });
    if (lost.length > 0) this.#report({ type: 'tasks-lost', stream, entryIds: lost });
    for (const consumer of removed) this.#report({ type: 'consumer-removed', consumer, stream });
    return freed.reduce((sum, [, count]) => sum + count, 0) + lost.length;
  }
}
