import type { ConsumerListener } from '@sluice/telemetry';
import type { Lane } from './entry.js';
import { PARKED } from './group.js';
import type { HeldEntries } from './held-entries.js';
import type { Lanes } from './lanes.js';
import { crashesOf } from './outcome.js';
import type { ReadQuota } from './read-quota.js';
import { LinkClosed, type RedisLink, refusalOf } from './redis-link.js';
import { takeDueScript } from './scripts.js';

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
];

/** Takes parked entries back when they are due: retries, and what other consumers left behind. */
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
  readonly #count: (read: number) => void;
  readonly #report: ConsumerListener;
  /** When each lane is to be looked at next, by performance.now(). */
  readonly #lookAt: number[];
  #stopping = false;
  #endWaits: () => void = () => undefined;
  readonly #stopped = new Promise<void>((resolve) => {
    this.#endWaits = resolve;
  });
  #wake: (() => void) | undefined;
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
    this.#count = parts.count;
    this.#report = parts.report;
    this.#lookAt = parts.lanes.all.map(() => 0);
  }

  /** Takes what is due until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#link.readyOr(this.#stopped);
        if (this.#stopping) break;
        for (const job of this.#between.splice(0)) await job();
        await Promise.all(this.#lanes.all.map((lane) => this.#look(lane)));
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
    if ((this.#lookAt[lane.index] ?? 0) > performance.now()) return;
    const most = Math.min(this.#quota.current, this.#lanes.roomFor(lane), this.#held.freeSlots);
    if (most <= 0) {
      // No place for this lane in this thread, now or at all.
      lane.dueWaiting = lane.limit > 0;
      this.#lookAt[lane.index] = performance.now() + (lane.limit === 0 ? LOOK_MS : NO_ROOM_MS);
      return;
    }
    // Set before Redis is asked, so that `dueIn` can only bring it forward.
    this.#lookAt[lane.index] = performance.now() + LOOK_MS * (1 - 0.2 * Math.random());
    const { stream, attempts, retries, ledger } = lane.keys;
    let reply: Reply;
    this.#held.reserve(most);
    try {
      reply = (await takeDueScript.runForBuffers(
        this.#link.redis,
        [stream, attempts, retries, ledger],
        [this.#group, this.#consumer, PARKED, most, SUSPECT_CRASHES],
      )) as Reply; // as take-due.lua returns it
    } catch (error) {
      // Redis refused, and so did nothing: a missing group is the reader's business.
      if (refusalOf(error) !== undefined) return;
      throw error;
    } finally {
      this.#held.unreserve(most);
      lane.dueWaiting = false;
      lane.next = 'new';
      this.#looked(lane);
    }
    this.#takeIn(lane, reply, most);
  }

  #takeIn(lane: Lane, [taken, lost, nextInMs]: Reply, most: number): void {
    for (const [id, fields, deliveries, failed, excused] of taken) {
      const crashes = crashesOf(deliveries, failed, excused);
      const name = id.toString('latin1');
      this.#lanes.add(this.#held.holdAgain(lane, name, fields, deliveries, failed, crashes));
    }
    if (lost.length > 0) {
      const entryIds = lost.map((id) => id.toString('latin1'));
      this.#report({ type: 'tasks-lost', stream: lane.keys.stream, entryIds });
    }
    if (taken.length === most) this.dueIn(lane, 0);
    else if (nextInMs >= 0) this.dueIn(lane, nextInMs);
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
