import type { ConsumerListener } from '@sluice/telemetry';
import type { Entry, Lane } from './entry.js';
import type { HeldEntries } from './held-entries.js';
import type { Dead, Outcome, Retry } from './outcome.js';
import type { OutcomeSink } from './outcome-sink.js';
import type { LeftAlone } from './outcome-writer.js';
import type { ThreadBoard } from './thread-protocol.js';

// Bounds of one script call: Lua can pass some 8,000 values at once, and Redis does nothing else meanwhile.
const MOST_DONE = 500;
const MOST_PARKED = 200;
const MOST_BURIED = 50;

interface ToPark {
  readonly entry: Entry;
  readonly id: string;
  readonly deliveries: number;
  readonly delayMs: number;
  readonly outcome: Retry;
}

interface ToBury {
  readonly entry: Entry;
  readonly id: string;
  readonly outcome: Dead;
}

/** The outcomes of a lane that Redis does not know yet. Bounded by the slots of the thread. */
class Unsettled {
  readonly lane: Lane;
  readonly done: Entry[] = [];
  readonly toPark: ToPark[] = [];
  readonly toBury: ToBury[] = [];
  draining = false;
  /** The last try got no reply: Redis may have done it all the same. */
  uncertain = false;

  constructor(lane: Lane) {
    this.lane = lane;
  }

  get empty(): boolean {
    return this.done.length === 0 && this.toPark.length === 0 && this.toBury.length === 0;
  }
}

/** What the settler tells the rest of the thread. */
export interface SettlerListener {
  report: ConsumerListener;
  /** The outcomes of some entries are written and their slots are free again. */
  settled(lane: Lane, entries: readonly Entry[]): void;
  /** A task of this lane will be due again after this time. */
  parked(lane: Lane, delayMs: number): void;
}

/**
 * Writes outcomes to Redis: Done, Retry and Dead each by one script call for many tasks.
 *
 * At most one call of a kind is under way per lane; what is decided meanwhile goes with the next, so that batches
 * grow with the load. While Redis is away or refuses, outcomes are kept and tried again.
 */
export class Settler {
  readonly #sink: OutcomeSink;
  readonly #held: HeldEntries;
  readonly #board: ThreadBoard;
  readonly #listener: SettlerListener;
  readonly #unsettled: readonly Unsettled[];

  constructor(parts: {
    sink: OutcomeSink;
    lanes: readonly Lane[];
    held: HeldEntries;
    board: ThreadBoard;
    listener: SettlerListener;
  }) {
    this.#sink = parts.sink;
    this.#held = parts.held;
    this.#board = parts.board;
    this.#listener = parts.listener;
    this.#unsettled = parts.lanes.map((lane) => new Unsettled(lane));
  }

  /** Takes the outcome of an entry; it is written together with all others of this turn of the event loop. */
  settle(entry: Entry, outcome: Outcome): void {
    const unsettled = this.#unsettled[entry.lane.index] as Unsettled; // one per lane
    this.#board.finish(entry.slot, outcome.kind === 'done');
    switch (outcome.kind) {
      case 'done':
        unsettled.done.push(entry);
        break;
      case 'retry': {
        const { id, deliveries } = entry;
        unsettled.toPark.push({ entry, id, deliveries, delayMs: outcome.delayMs, outcome });
        break;
      }
      case 'dead':
        unsettled.toBury.push({ entry, id: entry.id, outcome });
        break;
    }
    if (!unsettled.draining) {
      unsettled.draining = true;
      setImmediate(() => void this.#drain(unsettled));
    }
  }

  async #drain(unsettled: Unsettled): Promise<void> {
    while (!unsettled.empty) {
      const done = unsettled.done.splice(0, MOST_DONE);
      const toPark = unsettled.toPark.splice(0, MOST_PARKED);
      const toBury = unsettled.toBury.splice(0, MOST_BURIED);
      const [acknowledged, parked, buried] = await Promise.allSettled([
        done.length === 0 ? undefined : this.#acknowledge(unsettled, done),
        toPark.length === 0 ? undefined : this.#park(unsettled, toPark),
        toBury.length === 0 ? undefined : this.#bury(unsettled, toBury),
      ]);
      if (acknowledged.status === 'rejected') unsettled.done.unshift(...done);
      if (parked.status === 'rejected') unsettled.toPark.unshift(...toPark);
      if (buried.status === 'rejected') unsettled.toBury.unshift(...toBury);
      const refused = [acknowledged, parked, buried].find((write) => write.status === 'rejected');
      unsettled.uncertain = refused !== undefined;
      if (refused === undefined) continue;
      if (!(await this.#sink.untilWorthTrying(unsettled.lane.keys, refused.reason))) return;
    }
    unsettled.draining = false;
  }

  async #acknowledge(unsettled: Unsettled, done: readonly Entry[]): Promise<void> {
    const ids = done.map((entry) => entry.id);
    const left = await this.#sink.acknowledge(unsettled.lane.keys, ids);
    this.#conclude(unsettled, 'done', done, left);
  }

  async #park(unsettled: Unsettled, toPark: readonly ToPark[]): Promise<void> {
    const { lane } = unsettled;
    const left = await this.#sink.park(lane.keys, toPark);
    const entries = toPark.map(({ entry }) => entry);
    const touched = this.#conclude(unsettled, 'retried', entries, left);
    for (const { entry, delayMs, outcome } of toPark) {
      if (!touched(entry)) continue;
      this.#listener.parked(lane, delayMs);
      this.#listener.report({ type: 'task-retried', ...factsOf(entry, outcome), delayMs });
    }
  }

  async #bury(unsettled: Unsettled, toBury: readonly ToBury[]): Promise<void> {
    const left = await this.#sink.bury(unsettled.lane.keys, toBury);
    const entries = toBury.map(({ entry }) => entry);
    const touched = this.#conclude(unsettled, 'dead', entries, left);
    for (const { entry, outcome } of toBury) {
      if (touched(entry)) this.#listener.report({ type: 'task-dead', ...factsOf(entry, outcome) });
    }
  }

  /** Frees the slots, counts and reports. Returns whether an entry's outcome was written. */
  #conclude(
    { lane, uncertain }: Unsettled,
    counter: 'done' | 'retried' | 'dead',
    entries: readonly Entry[],
    left: LeftAlone,
  ): (entry: Entry) => boolean {
    for (const entry of entries) this.#held.free(entry);
    const { stream } = lane.keys;
    // After a lost reply "not pending for us" most likely means that our first try had worked.
    const fenced = uncertain ? [] : left.fenced;
    this.#board.count(counter, entries.length - fenced.length - left.lost.length);
    if (fenced.length > 0) {
      this.#board.count('fenced', fenced.length);
      for (const entryId of fenced) this.#listener.report({ type: 'outcome-fenced', stream, entryId });
    }
    if (left.lost.length > 0) {
      this.#listener.report({ type: 'tasks-lost', stream, entryIds: left.lost });
    }
    this.#listener.settled(lane, entries);
    const untouched = new Set([...fenced, ...left.lost]);
    return (entry) => !untouched.has(entry.id);
  }
}

function factsOf(entry: Entry, outcome: Retry | Dead) {
  const { name, message } = outcome.evidence;
  return {
    taskId: entry.taskId,
    taskType: entry.taskType,
    attempt: entry.deliveries,
    error: `${name}: ${message}`,
    traceContext: entry.traceContext,
  };
}
