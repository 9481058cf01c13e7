import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumerListener } from '@sluice/telemetry';
import { LinkClosed, type RedisLink, refusalOf } from '../redis/redis-link.js';
import type { Entry, Lane } from './entry.js';
import { GroupReads } from './group-reads.js';
import type { Delivery } from './group-reply.js';
import type { HeldEntries } from './held-entries.js';
import type { Lanes, ReadPlan } from './lanes.js';
import { MissingGroups } from './missing-groups.js';
import type { ReadQuota } from './read-quota.js';

/** How long one read waits in Redis at most; well below the silence after which the connection is given up. */
const MOST_BLOCK_MS = 1000;

/** Wait before reading again after Redis refused. */
const REFUSED_PAUSE_MS = 200;

/** Without room, look again after this time even if nobody said that there is some. */
const NO_ROOM_MS = 250;

/**
 * Reads that follow each other this closely and bring little are spaced out. With a task or two per read, a busy
 * stream would cost a whole core in round trips; a rest of a millisecond lets them gather. At 1,000 tasks/s nothing
 * rests yet: there a task would wait longer, and no CPU time was saved that could be measured.
 */
const CLOSE_MS = 0.8;
const REST_MS = 1;

/**
 * So few tasks are started before the next read is sent: that takes longer than starting them. With more, Redis has
 * the read while they are started.
 */
const FEW = 4;

/** Waking a read that has not reached Redis yet does nothing, so it is repeated this often. */
const WAKE_AGAIN_MS = 5;

/** A read that is under way. */
interface Read {
  readonly plan: ReadPlan;
  waking: boolean;
}

/**
 * Reads new entries for this thread.
 *
 * The next read is under way while the tasks of the last one are started, so that Redis and the thread work at
 * the same time. Nothing is read that could not be started soon.
 */
export class GroupReader {
  readonly #group: string;
  readonly #consumer: string;
  /** Blocking reads have this connection for themselves. */
  readonly #link: RedisLink;
  readonly #reads: GroupReads;
  readonly #blockMs: number;
  readonly #commands: RedisLink;
  readonly #missing: MissingGroups;
  readonly #lanes: Lanes;
  readonly #held: HeldEntries;
  readonly #quota: ReadQuota;
  readonly #dispatch: () => void;
  readonly #releaseOrphans: () => Promise<void>;
  readonly #giveBack: (entry: Entry) => void;
  readonly #count: (read: number) => void;
  readonly #report: ConsumerListener;

  #stopping = false;
  #endWaits: () => void = () => undefined;
  readonly #stopped = new Promise<void>((resolve) => {
    this.#endWaits = resolve;
  });
  #clientId = '';
  /** The connection whose client id is known. */
  #generation = 0;
  #orphansSuspected = true;
  /** When a read last brought all there was, by performance.now(). */
  #emptiedAt = 0;
  #read: Read | undefined;
  #roomChanged: (() => void) | undefined;
  #lastRefusal = '';

  constructor(parts: {
    group: string;
    consumer: string;
    link: RedisLink;
    leaseMs: number;
    commands: RedisLink;
    lanes: Lanes;
    held: HeldEntries;
    quota: ReadQuota;
    /** Starts the tasks that were read. */
    dispatch: () => void;
    /** Gives back what Redis thinks was delivered to us and what never arrived. Called while nothing is read. */
    releaseOrphans: () => Promise<void>;
    /** Takes entries of a lane whose breaker has opened while they were read. */
    giveBack: (entry: Entry) => void;
    count: (read: number) => void;
    report: ConsumerListener;
  }) {
    this.#group = parts.group;
    this.#consumer = parts.consumer;
    this.#link = parts.link;
    this.#reads = new GroupReads(parts.link);
    // A read that took as long as a lease is taken for one of a process that was frozen; see Lane.startWithinMs.
    this.#blockMs = Math.min(MOST_BLOCK_MS, Math.ceil(parts.leaseMs / 2));
    this.#commands = parts.commands;
    this.#missing = new MissingGroups(parts.group, parts.lanes.all, parts.commands, parts.report);
    this.#lanes = parts.lanes;
    this.#held = parts.held;
    this.#quota = parts.quota;
    this.#dispatch = parts.dispatch;
    this.#releaseOrphans = parts.releaseOrphans;
    this.#giveBack = parts.giveBack;
    this.#count = parts.count;
    this.#report = parts.report;
  }

  /** Reads until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#turn();
        this.#lastRefusal = '';
      } catch (error) {
        if (error instanceof LinkClosed) return;
        await this.#afterFailure(error);
      }
    }
  }

  /** Ends `run` after the read that is under way; what it brings is still taken in. */
  stop(): void {
    this.#stopping = true;
    this.#endWaits();
    this.#roomChanged?.();
    this.#wake();
  }

  /** A place in this lane, or a slot, has become free. */
  roomChanged(lane: Lane): void {
    if (this.#roomChanged !== undefined) this.#roomChanged();
    else if (this.#read !== undefined && !this.#read.plan.lanes.includes(lane)) this.#wake();
  }

  /** Have own pending entries compared with what is held before the next read. */
  suspectOrphans(): void {
    this.#orphansSuspected = true;
  }

  async #turn(): Promise<void> {
    if (!this.#link.up) this.#dispatch(); // what is here already need not wait for Redis
    const generation = await this.#link.readyOr(this.#stopped);
    if (this.#stopping) return;
    if (generation !== this.#generation) {
      this.#orphansSuspected = true;
      this.#clientId = await this.#askClientId();
      this.#generation = generation;
    }
    if (this.#orphansSuspected) await this.#lookForOrphans();
    if (!this.#link.isStill(generation)) return;
    const plan = this.#lanes.plan(this.#quota.current, this.#held.freeSlots, performance.now());
    if (plan === undefined) {
      this.#dispatch();
      await this.#room();
      return;
    }
    for (const lane of plan.lanes) lane.next = 'due';
    const reserved = plan.count * plan.lanes.length;
    this.#held.reserve(reserved);
    let deliveries: readonly Delivery[];
    let askedAt = 0;
    try {
      askedAt = performance.now();
      this.#read = { plan, waking: false };
      const reading = this.#send(plan);
      this.#dispatch();
      deliveries = await reading;
    } finally {
      this.#read = undefined;
      this.#held.unreserve(reserved);
    }
    this.#takeIn(plan, deliveries, askedAt);
    if (this.#lanes.waiting <= FEW) this.#dispatch();
    if (deliveries.length > 0 && !plan.lanes.some((lane) => lane.mayHaveMore)) await this.#rest();
  }

  async #lookForOrphans(): Promise<void> {
    this.#orphansSuspected = false;
    try {
      await this.#releaseOrphans();
    } catch (error) {
      this.#orphansSuspected = true;
      throw error;
    }
  }

  /** After a read that emptied the streams: rests when the one before it is only a moment ago. */
  async #rest(): Promise<void> {
    const now = performance.now();
    const close = now - this.#emptiedAt < CLOSE_MS;
    this.#emptiedAt = now;
    if (!close) return;
    this.#dispatch();
    await pause(REST_MS);
    this.#emptiedAt = performance.now();
  }

  #send({ lanes, count, block }: ReadPlan): Promise<readonly Delivery[]> {
    const words: (string | number)[] = ['XREADGROUP', 'GROUP', this.#group, this.#consumer, 'COUNT', count];
    if (block) words.push('BLOCK', this.#blockMs);
    words.push('STREAMS');
    for (const lane of lanes) words.push(lane.keys.stream);
    for (const _ of lanes) words.push('>');
    return this.#reads.send(words);
  }

  #takeIn(plan: ReadPlan, deliveries: readonly Delivery[], askedAt: number): void {
    for (const lane of plan.lanes) lane.mayHaveMore = false;
    for (const { stream, entries } of deliveries) {
      const lane = plan.lanes.find((one) => one.keys.stream === stream);
      if (lane === undefined) continue; // Redis answers with what was asked for
      lane.mayHaveMore = entries.length >= plan.count;
      for (const [id, fields] of entries) {
        const entry = this.#held.hold(lane, id, fields);
        entry.startBefore = askedAt + lane.startWithinMs;
        if (lane.served) this.#giveBack(entry);
        else this.#lanes.add(entry);
      }
      this.#count(entries.length);
    }
  }

  /** Waits until something can be read. */
  async #room(): Promise<void> {
    if (this.#stopping) return;
    if (this.#lanes.plan(1, this.#held.freeSlots, performance.now()) !== undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, NO_ROOM_MS);
      this.#roomChanged = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#roomChanged = undefined;
  }

  /** Ends a read that waits in Redis, without losing what it may be given in this very moment. */
  async #wakeRead(read: Read): Promise<void> {
    read.waking = true;
    while (this.#read === read && read.plan.block) {
      // Redis answers 0 when the client does not wait, because its read is still on the way.
      const woken = await this.#commands.redis.client('UNBLOCK', this.#clientId);
      if (woken === 1) return;
      await pause(WAKE_AGAIN_MS);
    }
  }

  /** What CLIENT UNBLOCK needs to know. A user who may not ask for it can work, reads then end in their own time. */
  async #askClientId(): Promise<string> {
    try {
      return String(await this.#link.redis.client('ID'));
    } catch (error) {
      if (refusalOf(error) !== undefined) return '';
      throw error;
    }
  }

  #wake(): void {
    const read = this.#read;
    if (read === undefined || read.waking || this.#clientId === '') return;
    // Not worth a retry: the read ends by itself soon.
    this.#wakeRead(read).catch(() => undefined);
  }

  async #afterFailure(error: unknown): Promise<void> {
    const refusal = refusalOf(error);
    if (refusal === undefined) {
      // No answer, or none in time. Entries may have been delivered into the void: start over on a new connection.
      this.#link.reset();
      await pause(1);
      return;
    }
    switch (refusal) {
      case 'NOGROUP':
      case 'UNBLOCKED': // the stream was deleted while the read waited
      case 'WRONGTYPE':
        if (!(await this.#missing.create(this.#stopped))) await pause(REFUSED_PAUSE_MS);
        return;
      default:
        // Reported once, not with every try.
        if (refusal !== this.#lastRefusal)
          this.#report({ type: 'internal-error', where: 'group-reader', error });
        this.#lastRefusal = refusal;
        // After a failover the old master refuses: only a new connection finds the new one.
        if (refusal === 'READONLY') this.#link.reset();
        await pause(REFUSED_PAUSE_MS);
    }
  }
}
