import type { LaneKeys } from '../redis/group.js';
import type { Dead } from '../settling/outcome.js';
import type { OutcomeSink } from '../settling/outcome-sink.js';
import type { LeftAlone, ReleaseReason } from '../settling/outcome-writer.js';
import type { ConnectionFaults } from './connection-faults.js';
import type { MemoryGroup } from './memory-group.js';

/** The thread that writes, as far as its outcomes depend on it. */
export interface Writer {
  /** Its name in the group. */
  readonly consumer: string;
  /** A dead thread writes nothing any more. */
  readonly dead: boolean;
  /** Resolves when it is not, or no longer, frozen. */
  readonly thawed: Promise<void>;
}

/** Outcomes written into the model instead of Redis. */
export class MemoryOutcomeSink implements OutcomeSink {
  readonly #groups: ReadonlyMap<string, MemoryGroup>;
  readonly #connection: ConnectionFaults;
  readonly #writer: Writer;

  /** @param groups by stream */
  constructor(groups: ReadonlyMap<string, MemoryGroup>, connection: ConnectionFaults, writer: Writer) {
    this.#groups = groups;
    this.#connection = connection;
    this.#writer = writer;
  }

  acknowledge(keys: LaneKeys, ids: readonly string[]): Promise<LeftAlone> {
    return this.#write(keys, (group, consumer) => group.acknowledge(consumer, ids));
  }

  park(
    keys: LaneKeys,
    entries: readonly { id: string; deliveries: number; delayMs: number }[],
  ): Promise<LeftAlone> {
    return this.#write(keys, (group, consumer) => group.park(consumer, entries));
  }

  bury(keys: LaneKeys, entries: readonly { id: string; outcome: Dead }[]): Promise<LeftAlone> {
    return this.#write(keys, (group, consumer) => group.bury(consumer, entries));
  }

  release(keys: LaneKeys, entries: readonly { id: string; reason: ReleaseReason }[]): Promise<LeftAlone> {
    return this.#write(keys, (group, consumer) => group.release(consumer, entries));
  }

  async untilWorthTrying(): Promise<boolean> {
    if (!this.#writer.dead) await this.#connection.untilWorthTrying();
    return !this.#writer.dead;
  }

  async #write(
    keys: LaneKeys,
    write: (group: MemoryGroup, consumer: string) => LeftAlone,
  ): Promise<LeftAlone> {
    await this.#writer.thawed;
    if (this.#writer.dead) throw new Error('the thread has ended');
    const group = this.#groups.get(keys.stream);
    if (group === undefined) throw new Error(`there is no stream ${keys.stream}`);
    return this.#connection.write(() => write(group, this.#writer.consumer));
  }
}
