import { PARKED } from '@sluice/contract';
import type { ConsumerListener } from '@sluice/telemetry';
import { createGroup } from '../redis/group.js';
import { LinkClosed, type RedisLink, refusalOf } from '../redis/redis-link.js';
import { takeDueScript } from '../redis/scripts.js';
import type { BreakerReport } from '../settling/breaker.js';
import { crashesOf } from '../settling/outcome.js';
import type { Lane } from './entry.js';
import type { HeldEntries } from './held-entries.js';
import type { Lanes } from './lanes.js';
import type { ReadQuota } from './read-quota.js';

/** Every thread looks at least this often, for what other threads and processes have parked. */
const LOOK_MS = 1000;

/** How soon a lane without room is looked at again. */
const NO_ROOM_MS = 50;

/** Crashes that make a task a suspect, which is run while no other suspect of its stream runs. */
export const SUSPECT_CRASHES = 2;

/** Answer of take-due.lua, strings as Buffers. */
type Reply = [
  taken: [id: Buffer, fields: Buffer[], deliveries: number, failed: number, excused: number][],
  lost: Buffer[],
  nextInMs: number,
  breaker: [
    state: Buffer,
    round: number,
    opensInMs: number,
    change: Buffer,
    failed: number,
    succeeded: number,
  ],
  after: Buffer,
];

/**
 * Takes parked entries back when they are due: retries, and what other consumers left behind. Of lanes that may not
 * just be read (their breaker is not closed, or their rate is limited) it takes new entries too, as many as it is given.
 */
export class Retries {
  readonly #group: string;
  readonly #consumer: string;
  readonly #link: RedisLink;
  readonly #lanes: Lanes;
  readonly #held: HeldEntries;
  readonly #quota: ReadQuota;
  readonly #dispatch: () => void;
  readonly #suspectOrphans: () => void;
  readonly #looked: (lane: Lane) => void;
  readonly #learned: (lane: Lane, breaker: BreakerReport) => void;
  readonly #quiet: (lane: Lane, afterId: string) => void;
  readonly #rateUsedUp: (lane: Lane) => void;
  readonly #count: (read: number) => void;
  readonly #report: ConsumerListener;
  /** When each lane is to be looked at next, by performance.now(). */
  readonly #lookAt: number[];
  /** When each lane was looked at last, by performance.now(). */
  readonly #lookedAt: number[];
  #stopping = false;
  #endWaits: () => void = () => undefined;
  readonly #stopped = new Promise<void>((resolve) => {
    this.#endWaits = resolve;
  });
  #wake: (() => void) | undefined;
  #hasLooked: () => void = () => undefined;
  /** Resolves when every lane has been looked at once, and so is known to be open or closed; or when that is over. */
  readonly firstLook = new Promise<void>((resolve) => {
    this.#hasLooked = resolve;
  });
  #between: (() => Promise<void>)[] = [];

  constructor(parts: {
    group: string;
    consumer: string;
    link: RedisLink;
    lanes: Lanes;
    held: HeldEntries;
    quota: ReadQuota;
    dispatch: () => void;
    /** What was claimed may not have arrived. */
    suspectOrphans: () => void;
    /** Places that were kept for what is due can be read for. */
    looked: (lane: Lane) => void;
    /** How the breaker of a lane stands. */
    learned: (lane: Lane, breaker: BreakerReport) => void;
    /** A lane that may not just be read has nothing left; what is new comes after this id. */
    quiet: (lane: Lane, afterId: string) => void;
    /** The rate limit of a lane allows no more for now. */
    rateUsedUp: (lane: Lane) => void;
    count: (read: number) => void;
    report: ConsumerListener;
  }) {
    this.#group = parts.group;
    this.#consumer = parts.consumer;
    this.#link = parts.link;
    this.#lanes = parts.lanes;
    this.#held = parts.held;
    this.#quota = parts.quota;
    this.#dispatch = parts.dispatch;
    this.#suspectOrphans = parts.suspectOrphans;
    this.#looked = parts.looked;
    this.#learned = parts.learned;
    this.#quiet = parts.quiet;
    this.#rateUsedUp = parts.rateUsedUp;
    this.#count = parts.count;
    this.#report = parts.report;
    this.#lookAt = parts.lanes.all.map(() => 0);
    this.#lookedAt = parts.lanes.all.map(() => 0);
  }

  /** Takes what is due until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#link.readyOr(this.#stopped);
        if (this.#stopping) break;
        for (const job of this.#between.splice(0)) await job();
        await Promise.all(this.#lanes.all.map((lane) => this.#look(lane)));
        this.#hasLooked();
        await this.#untilNextLook();
      } catch (error) {
        if (error instanceof LinkClosed) return;
        this.#link.reset();
        this.#suspectOrphans();
      }
    }
    for (const job of this.#between.splice(0)) await job();
  }

  stop(): void {
    this.#stopping = true;
    this.#endWaits();
    this.#hasLooked();
    this.#wake?.();
  }

  /** Something in this lane is due in this many milliseconds. */
  dueIn(lane: Lane, delayMs: number): void {
    const at = performance.now() + delayMs;
    if (at >= (this.#lookAt[lane.index] ?? 0)) return;
    this.#lookAt[lane.index] = at;
    this.#wake?.();
  }

  /** Something may be due in any lane. */
  lookNow(): void {
    this.#lookAt.fill(0);
    this.#wake?.();
  }

  /** A place in this lane is free that was kept for what is due. */
  roomChanged(lane: Lane): void {
    this.#lookAt[lane.index] = 0;
    this.#wake?.();
  }

  /** Does something while nothing is being taken. */
  between(job: () => Promise<void>): Promise<void> {
    if (this.#stopping) return job();
    return new Promise((resolve, reject) => {
      this.#between.push(() => job().then(resolve, reject));
      this.#wake?.();
    });
  }

  async #look(lane: Lane): Promise<void> {
    const now = performance.now();
    if ((this.#lookAt[lane.index] ?? 0) > now) return;
    const most = Math.max(0, Math.min(this.#quota.current, this.#lanes.roomFor(lane), this.#held.freeSlots));
    // Set before Redis is asked, so that `dueIn` can only bring it forward.
    if (most > 0) this.#lookAt[lane.index] = now + LOOK_MS * (1 - 0.2 * Math.random());
    else {
      // No place for this lane in this thread, now or at all. Its breaker is asked about all the same, now and then.
      lane.dueWaiting = lane.limit > 0;
      this.#lookAt[lane.index] = now + (lane.limit === 0 ? LOOK_MS : NO_ROOM_MS);
      if (lane.limit === 0 || now - (this.#lookedAt[lane.index] ?? 0) < LOOK_MS) return;
    }
    this.#lookedAt[lane.index] = now;
    const { stream, attempts, retries, ledger, breaker, rate } = lane.keys;
    const news = lane.breaker.takeAllNews();
    let reply: Reply;
    this.#held.reserve(most);
    try {
      reply = (await takeDueScript.runForBuffers(
        this.#link.redis,
        [stream, attempts, retries, ledger, breaker, rate],
        [
          this.#group,
          this.#consumer,
          PARKED,
          most,
          SUSPECT_CRASHES,
          news.policy,
          news.successes,
          news.probeSuccesses,
          news.round,
          lane.rate?.policy ?? '',
        ],
      )) as Reply; // as take-due.lua returns it
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      // Redis refused, and so did nothing: a missing group is the reader's business, where it reads.
      if (refusal === 'NOGROUP' && lane.served) await this.#createGroup(lane);
      return;
    } finally {
      this.#held.unreserve(most);
      if (most > 0) {
        lane.dueWaiting = false;
        lane.next = lane.served ? 'due' : 'new'; // all that is served comes this way
        this.#looked(lane);
      }
    }
    this.#takeIn(lane, reply, most, now);
  }

  async #createGroup(lane: Lane): Promise<void> {
    const created = await createGroup(this.#link.redis, lane.keys, this.#group);
    if (created) this.#report({ type: 'group-created', stream: lane.keys.stream, group: this.#group });
    this.dueIn(lane, 0);
  }

  #takeIn(lane: Lane, [taken, lost, nextInMs, breaker, after]: Reply, most: number, askedAt: number): void {
    this.#learned(lane, reportOf(breaker)); // first: what waits and may not be started is given back
    const startBefore = askedAt + lane.startWithinMs;
    for (const [id, fields, deliveries, failed, excused] of taken) {
      const crashes = crashesOf(deliveries, failed, excused);
      const name = id.toString('latin1');
      const entry = this.#held.holdAgain(lane, name, fields, deliveries, failed, crashes);
      entry.round = lane.breaker.round;
      entry.startBefore = startBefore;
      this.#lanes.add(entry);
    }
    if (lost.length > 0) {
      const entryIds = lost.map((id) => id.toString('latin1'));
      this.#report({ type: 'tasks-lost', stream: lane.keys.stream, entryIds });
    }
    if (most > 0) {
      if (taken.length === most) this.dueIn(lane, 0);
      else if (nextInMs >= 0) this.dueIn(lane, nextInMs);
    }
    const hasStopped = most > 0 && taken.length < most && after.length === 0;
    if (lane.rate !== undefined && hasStopped && lane.breaker.closed) this.#rateUsedUp(lane);
    if (after.length > 0) this.#quiet(lane, after.toString('latin1'));
    this.#count(taken.length);
    this.#dispatch();
  }

  async #untilNextLook(): Promise<void> {
    const wait = Math.min(LOOK_MS, ...this.#lookAt.map((at) => at - performance.now()));
    if (this.#stopping || wait <= 0 || this.#between.length > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(wait));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

function reportOf([state, round, opensInMs, change, failed, succeeded]: Reply[3]): BreakerReport {
  // As breaker.lua names them.
  const name = state.toString('latin1') as BreakerReport[0];
  return [name, round, opensInMs, change.toString('latin1') as BreakerReport[3], failed, succeeded];
}
