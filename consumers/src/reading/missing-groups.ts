import type { ConsumerListener } from '@sluice/telemetry';
import { createGroup } from '../redis/group.js';
import { type RedisLink, refusalOf } from '../redis/redis-link.js';
import type { Lane } from './entry.js';

/** A lane whose key is no stream is left out for this long; the others go on. */
const UNREADABLE_MS = 1000;

/** Creates groups again that have vanished: after a FLUSHALL, or when somebody deleted a stream. */
export class MissingGroups {
  readonly #group: string;
  readonly #lanes: readonly Lane[];
  readonly #link: RedisLink;
  readonly #report: ConsumerListener;
  readonly #faulty = new Set<Lane>();

  constructor(group: string, lanes: readonly Lane[], link: RedisLink, report: ConsumerListener) {
    this.#group = group;
    this.#lanes = lanes;
    this.#link = link;
    this.#report = report;
  }

  /**
   * Creates the groups that are missing, leaves out the lanes where that is not possible; false if nothing changed.
   *
   * @param stopped ends the wait for the connection
   */
  async create(stopped: Promise<unknown>): Promise<boolean> {
    let changed = false;
    await this.#link.readyOr(stopped);
    for (const lane of this.#lanes) {
      const { stream } = lane.keys;
      try {
        if (await createGroup(this.#link.redis, lane.keys, this.#group)) {
          this.#report({ type: 'group-created', stream, group: this.#group });
          changed = true;
        }
        this.#faulty.delete(lane);
      } catch (error) {
        if (refusalOf(error) === undefined) return true; // the connection is gone: the next turn finds out
        lane.unreadableUntil = performance.now() + UNREADABLE_MS;
        changed = true;
        if (this.#faulty.has(lane)) continue; // reported already
        this.#faulty.add(lane);
        this.#report({ type: 'internal-error', where: `stream ${stream}`, error });
      }
    }
    return changed;
  }
}
