import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumerListener } from '@sluice/telemetry';
import { createGroup, type LaneKeys } from '../redis/group.js';
import { LinkClosed, type RedisLink } from '../redis/redis-link.js';
import type { BreakerNews } from './breaker.js';
import type { OutcomeSink } from './outcome-sink.js';
import type {
  Buried,
  LeftAlone,
  OutcomeWriter,
  Parked,
  ReleaseReason,
  ToBury,
  ToPark,
  TrackedEntry,
} from './outcome-writer.js';
import { RefusedOutcomes } from './refused-outcomes.js';

/** Wait before outcomes that Redis refused are tried again. */
const REFUSED_PAUSE_MS = 200;

/** Outcomes written to Redis, over a connection that comes back by itself. */
export class RedisOutcomeSink implements OutcomeSink {
  readonly #writer: OutcomeWriter;
  readonly #group: string;
  readonly #link: RedisLink;
  readonly #refused: RefusedOutcomes;

  constructor(writer: OutcomeWriter, group: string, link: RedisLink, report: ConsumerListener) {
    this.#writer = writer;
    this.#group = group;
    this.#link = link;
    this.#refused = new RefusedOutcomes(report);
  }

  acknowledge(keys: LaneKeys, ids: readonly string[], tracked: readonly TrackedEntry[]): Promise<LeftAlone> {
    return this.#writer.acknowledge(this.#link.redis, keys, ids, tracked);
  }

  park(keys: LaneKeys, entries: readonly ToPark[], news: BreakerNews): Promise<Parked> {
    return this.#writer.park(this.#link.redis, keys, entries, news);
  }

  bury(keys: LaneKeys, entries: readonly ToBury[], news: BreakerNews): Promise<Buried> {
    return this.#writer.bury(this.#link.redis, keys, entries, news);
  }

  release(keys: LaneKeys, entries: readonly { id: string; reason: ReleaseReason }[]): Promise<LeftAlone> {
    return this.#writer.release(this.#link.redis, keys, entries);
  }

  async untilWorthTrying(keys: LaneKeys, reason: unknown): Promise<boolean> {
    this.#refused.note(keys.stream, reason);
    try {
      await this.#link.ready();
      const refused = reason instanceof Error ? reason.message : '';
      if (refused.startsWith('NOGROUP')) {
        // FLUSHALL took the entries along; without a group the script cannot even say so.
        await createGroup(this.#link.redis, keys, this.#group);
      } else {
        await pause(REFUSED_PAUSE_MS);
      }
      return true;
    } catch (error) {
      if (error instanceof LinkClosed) return false;
      await pause(REFUSED_PAUSE_MS);
      return true;
    }
  }
}
