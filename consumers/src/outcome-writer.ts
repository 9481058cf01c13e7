import type { Redis } from 'ioredis';
import { rangeOf } from './entry-id.js';
import { type LaneKeys, PARKED } from './group.js';
import type { Dead } from './outcome.js';
import { buryScript, doneScript, parkScript, releaseScript } from './scripts.js';

/** Entries that a script left alone. */
export interface LeftAlone {
  /** Not pending for the consumer any more: someone else has taken them over. */
  readonly fenced: readonly string[];
  /** No longer in the stream: someone deleted or trimmed them while they were pending. */
  readonly lost: readonly string[];
}

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

  /** Acknowledges tasks that are done. */
  async acknowledge(redis: Redis, keys: LaneKeys, ids: readonly string[]): Promise<LeftAlone> {
    const { lowest, highest } = rangeOf(ids);
    const fenced = await doneScript.run(
      redis,
      [keys.stream, keys.attempts, keys.ledger],
      [this.#group, this.#consumer, lowest, highest, ...ids],
    );
    return { fenced: fenced as string[], lost: [] }; // as done.lua returns it
  }

  /** Sets failed tasks aside until they are due again. */
  async park(
    redis: Redis,
    keys: LaneKeys,
    entries: readonly { id: string; deliveries: number; delayMs: number }[],
  ): Promise<LeftAlone> {
    const { lowest, highest } = rangeOf(entries.map((entry) => entry.id));
    const reply = await parkScript.run(
      redis,
      [keys.stream, keys.attempts, keys.retries, keys.ledger],
      [
        this.#group,
        this.#consumer,
        PARKED,
        lowest,
        highest,
        ...entries.flatMap((entry) => [entry.id, entry.deliveries, entry.delayMs]),
      ],
    );
    return leftAlone(reply);
  }

  /** Moves tasks to the dead-letter stream. */
  async bury(
    redis: Redis,
    keys: LaneKeys,
    entries: readonly { id: string; outcome: Dead }[],
  ): Promise<LeftAlone> {
    const { lowest, highest } = rangeOf(entries.map((entry) => entry.id));
    const reply = await buryScript.run(
      redis,
      [keys.stream, keys.attempts, keys.retries, keys.ledger, keys.deadLetters],
      [
        this.#group,
        this.#consumer,
        lowest,
        highest,
        ...entries.flatMap(({ id, outcome }) => [
          id,
          outcome.reason,
          outcome.attempts,
          outcome.crashes,
          outcome.evidence.name,
          outcome.evidence.message,
          outcome.evidence.stack,
        ]),
      ],
    );
    return leftAlone(reply);
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
    return leftAlone(reply);
  }
}

function leftAlone(reply: unknown): LeftAlone {
  const [fenced, lost] = reply as [string[], string[]]; // as the scripts return it
  return { fenced, lost };
}
