import type { LaneKeys } from '../redis/group.js';
import type { BreakerNews } from './breaker.js';
import type {
  Buried,
  LeftAlone,
  Parked,
  ReleaseReason,
  ToBury,
  ToPark,
  TrackedEntry,
} from './outcome-writer.js';

/**
 * Where a thread writes what became of its entries: Redis, or the model in memory that users test on. All that is
 * decided about a task is decided on this side of it.
 */
export interface OutcomeSink {
  /**
   * Tasks that are done.
   *
   * @param tracked those of them whose status can be asked for
   */
  acknowledge(keys: LaneKeys, ids: readonly string[], tracked: readonly TrackedEntry[]): Promise<LeftAlone>;
  /** Failed tasks, until they are due again. */
  park(keys: LaneKeys, entries: readonly ToPark[], news: BreakerNews): Promise<Parked>;
  /** Tasks that go to the dead-letter stream, unless the breaker has opened. */
  bury(keys: LaneKeys, entries: readonly ToBury[], news: BreakerNews): Promise<Buried>;
  /** Tasks that are given back. */
  release(keys: LaneKeys, entries: readonly { id: string; reason: ReleaseReason }[]): Promise<LeftAlone>;
  /** Waits until it makes sense to write again what was refused; false when it never will. Does not throw. */
  untilWorthTrying(keys: LaneKeys, reason: unknown): Promise<boolean>;
}
