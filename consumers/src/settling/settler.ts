import type { ConsumerListener } from '@sluice/telemetry';
import type { TaskMetrics } from '../metrics/task-metrics.js';
import type { Entry, Lane } from '../reading/entry.js';
import type { HeldEntries } from '../reading/held-entries.js';
import type { ThreadBoard } from '../thread/thread-protocol.js';
import type { BreakerReport } from './breaker.js';
import type { Dead, Outcome, Retry } from './outcome.js';
import type { OutcomeSink } from './outcome-sink.js';
import type { LeftAlone } from './outcome-writer.js';

// Bounds of one script call: Lua can pass some 8,000 values at once, and Redis does nothing else meanwhile.
const MOST_DONE = 500;
const MOST_PARKED = 200;
const MOST_BURIED = 50;
const MOST_GIVEN_BACK = 500;

/** How soon it is asked again whether the last attempt of a task was one failure among many. */
const VERDICT_MS = 200;

interface Failed {
  readonly entry: Entry;
  readonly outcome: Retry;
}

interface Condemned {
  readonly entry: Entry;
  readonly outcome: Dead;
  /** By performance.now(). */
  readonly since: number;
}

/** The outcomes of a lane that Redis does not know yet. Bounded by the slots of the thread. */
class Unsettled {
  readonly lane: Lane;
  readonly done: Entry[] = [];
  readonly toPark: Failed[] = [];
  readonly toBury: Condemned[] = [];
  readonly toGiveBack: Entry[] = [];
  /** Dead, unless the breaker opens soon. They are asked about again and again, and are no more than it takes to open it. */
  readonly undecided: Condemned[] = [];
  draining = false;
  /** The last try got no reply: Redis may have done it all the same. */
  uncertain = false;

  constructor(lane: Lane) {
    this.lane = lane;
  }

  get empty(): boolean {
    // Not by a list of the four: this is asked with every turn.
    return (
      this.done.length === 0 &&
      this.toPark.length === 0 &&
      this.toBury.length === 0 &&
      this.toGiveBack.length === 0
    );
  }
}

/** What the settler tells the rest of the thread. */
export interface SettlerListener {
  report: ConsumerListener;
  /** The outcomes of some entries are written and their slots are free again. */
  settled(lane: Lane, entries: readonly Entry[]): void;
  /** A task of this lane will be due again after this time. */
  parked(lane: Lane, delayMs: number): void;
  /** How the breaker of this lane stands. */
  learned(lane: Lane, breaker: BreakerReport): void;
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
  readonly #metrics: TaskMetrics | undefined;
  readonly #listener: SettlerListener;
  readonly #unsettled: readonly Unsettled[];
  #inHaste = false;

  constructor(parts: {
    sink: OutcomeSink;
    lanes: readonly Lane[];
    held: HeldEntries;
    board: ThreadBoard;
    metrics?: TaskMetrics;
    listener: SettlerListener;
  }) {
    this.#sink = parts.sink;
    this.#held = parts.held;
    this.#board = parts.board;
    this.#metrics = parts.metrics;
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
      case 'retry':
        unsettled.toPark.push({ entry, outcome });
        break;
      case 'dead':
        unsettled.toBury.push({ entry, outcome, since: performance.now() });
        break;
    }
    this.#drainSoon(unsettled);
  }

  /** Gives back an entry whose handler was not called; it is due at once, for whoever may start it. */
  giveBack(entry: Entry): void {
    const unsettled = this.#unsettled[entry.lane.index] as Unsettled; // one per lane
    unsettled.toGiveBack.push(entry);
    this.#drainSoon(unsettled);
  }

  /** Settles from now on what might have waited: the thread is about to end. */
  hurry(): void {
    this.#inHaste = true;
    for (const unsettled of this.#unsettled) this.#askAgain(unsettled);
  }

  #drainSoon(unsettled: Unsettled): void {
    if (unsettled.draining) return;
    unsettled.draining = true;
    setImmediate(() => void this.#drain(unsettled));
  }

  async #drain(unsettled: Unsettled): Promise<void> {
    while (!unsettled.empty) {
      const done = unsettled.done.splice(0, MOST_DONE);
      const toPark = unsettled.toPark.splice(0, MOST_PARKED);
      const toBury = unsettled.toBury.splice(0, MOST_BURIED);
      const toGiveBack = unsettled.toGiveBack.splice(0, MOST_GIVEN_BACK);
      const [acknowledged, parked, buried, givenBack] = await Promise.allSettled([
        done.length === 0 ? undefined : this.#acknowledge(unsettled, done),
        toPark.length === 0 ? undefined : this.#park(unsettled, toPark),
        toBury.length === 0 ? undefined : this.#bury(unsettled, toBury),
        toGiveBack.length === 0 ? undefined : this.#release(unsettled, toGiveBack),
      ]);
      if (acknowledged.status === 'rejected') unsettled.done.unshift(...done);
      if (parked.status === 'rejected') unsettled.toPark.unshift(...toPark);
      if (buried.status === 'rejected') unsettled.toBury.unshift(...toBury);
      if (givenBack.status === 'rejected') unsettled.toGiveBack.unshift(...toGiveBack);
      const refused = [acknowledged, parked, buried, givenBack].find((write) => write.status === 'rejected');
      unsettled.uncertain = refused !== undefined;
      if (refused === undefined) continue;
      if (!(await this.#sink.untilWorthTrying(unsettled.lane.keys, refused.reason))) return;
    }
    unsettled.draining = false;
  }

  async #acknowledge(unsettled: Unsettled, done: readonly Entry[]): Promise<void> {
    const ids = done.map((entry) => entry.id);
    const tracked = done.filter((entry) => entry.isTracked);
    const left = await this.#sink.acknowledge(unsettled.lane.keys, ids, tracked);
    unsettled.lane.breaker.succeeded(done);
    this.#conclude(unsettled, 'done', done, left);
  }

  async #park(unsettled: Unsettled, failed: readonly Failed[]): Promise<void> {
    const { lane } = unsettled;
    const now = performance.now();
    const toPark = failed.map(({ entry, outcome: { delayMs, blame } }) => {
      const { id, deliveries, roundOver } = entry;
      return { id, deliveries, delayMs, blame, ranMs: entry.ranMs(now), roundOver };
    });
    const left = await this.#sink.park(lane.keys, toPark, lane.breaker.takeNews());
    if (left.breaker !== undefined) this.#listener.learned(lane, left.breaker);
    this.#concludeParked(unsettled, failed, left);
  }

  async #bury(unsettled: Unsettled, condemned: readonly Condemned[]): Promise<void> {
    const { lane } = unsettled;
    const now = performance.now();
    const toBury = condemned.map(({ entry, outcome, since }) => {
      const canWait = !this.#inHaste && now - since < lane.breaker.windowMs;
      const { id, deliveries, roundOver } = entry;
      return { id, deliveries, outcome, ranMs: entry.ranMs(now), roundOver, canWait };
    });
    const left = await this.#sink.bury(lane.keys, toBury, lane.breaker.takeNews());
    if (left.breaker !== undefined) this.#listener.learned(lane, left.breaker);
    const pardoned = condemned.filter(({ entry }) => left.pardoned?.includes(entry.id));
    const undecided = condemned.filter(({ entry }) => left.undecided?.includes(entry.id));
    const buried = condemned.filter((one) => !pardoned.includes(one) && !undecided.includes(one));
    if (pardoned.length > 0) this.#concludeParked(unsettled, pardoned, { fenced: [], lost: [] });
    if (undecided.length > 0) {
      unsettled.undecided.push(...undecided);
      setTimeout(() => this.#askAgain(unsettled), this.#inHaste ? 0 : VERDICT_MS);
    }
    const entries = buried.map(({ entry }) => entry);
    const touched = this.#conclude(unsettled, 'dead', entries, left);
    for (const { entry, outcome } of buried) {
      if (touched(entry)) this.#listener.report({ type: 'task-dead', ...factsOf(entry, outcome) });
    }
  }

  async #release(unsettled: Unsettled, entries: readonly Entry[]): Promise<void> {
    const { lane } = unsettled;
    // Not pending for us any more means that somebody else has given them back: nothing to report.
    await this.#sink.release(
      lane.keys,
      entries.map(({ id }) => ({ id, reason: 'unstarted' })),
    );
    for (const entry of entries) this.#held.free(entry);
    this.#metrics?.settled(lane.index, 'released', entries.length);
    this.#listener.settled(lane, entries);
  }

  #askAgain(unsettled: Unsettled): void {
    if (unsettled.undecided.length === 0) return;
    unsettled.toBury.push(...unsettled.undecided.splice(0));
    this.#drainSoon(unsettled);
  }

  #concludeParked(
    unsettled: Unsettled,
    parked: readonly { entry: Entry; outcome: Retry | Dead }[],
    left: LeftAlone,
  ): void {
    const entries = parked.map(({ entry }) => entry);
    const touched = this.#conclude(unsettled, 'retried', entries, left);
    for (const { entry, outcome } of parked) {
      if (!touched(entry)) continue;
      const { delayMs } = outcome;
      this.#listener.parked(unsettled.lane, delayMs);
      this.#listener.report({ type: 'task-retried', ...factsOf(entry, outcome), delayMs });
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
    const settled = entries.length - fenced.length - left.lost.length;
    this.#board.count(counter, settled);
    this.#metrics?.settled(lane.index, counter, settled);
    this.#metrics?.settled(lane.index, 'fenced', fenced.length);
    this.#metrics?.settled(lane.index, 'lost', left.lost.length);
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
