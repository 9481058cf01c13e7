import type { LaneKeys } from './group.js';
import type { Dead } from './outcome.js';
import type { LeftAlone } from './outcome-writer.js';

/**
 * Where a thread writes what became of its entries: Redis, or the model in memory that users test on. All that is
 * decided about a task is decided on this side of it.
 */
export interface OutcomeSink {
  /** Tasks that are done. */
  acknowledge(keys: LaneKeys, ids: readonly string[]): Promise<LeftAlone>;
  /** Failed tasks, until they are due again. */
  park(
    keys: LaneKeys,
    entries: readonly { id: string; deliveries: number; delayMs: number }[],
  ): Promise<LeftAlone>;
  /** Tasks that go to the dead-letter stream. */
  bury(keys: LaneKeys, entries: readonly { id: string; outcome: Dead }[]): Promise<LeftAlone>;
  /** Waits until it makes sense to write again what was refused; false when it never will. Does not throw. */
  untilWorthTrying(keys: LaneKeys, reason: unknown): Promise<boolean>;
}
