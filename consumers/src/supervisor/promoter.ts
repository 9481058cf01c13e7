import { randomUUID } from 'node:crypto';
import { queueKeys, type ScheduleKeys } from '@sluice/contract';
import type { ConsumerListener } from '@sluice/telemetry';
import { LinkClosed, type RedisLink, refusalOf } from '../redis/redis-link.js';
import { promoteScript, releaseLeaseScript } from '../redis/scripts.js';

/** How often a stream is looked at by the process that has its lease: a task is at most so much late. */
const CLOSE_MS = 50;

/** How often by all others: so soon they notice that the process with the lease is gone. */
const LOOSE_MS = 1000;

const LEASE_MS = 3000;

/** Bounds of one script call. When more is due, the next call follows at once. */
const MOST_TASKS = 200;
const MOST_BYTES = 4 * 1024 * 1024;

/** What promote.lua says of one stream. */
export type PromoteReply = [
  nextInMs: number,
  hasLease: number,
  promoted: number,
  lost: string[],
  error: string,
];

/** A stream whose schedule is looked at. */
export interface PromotedLane {
  readonly stream: string;
  readonly schedule: ScheduleKeys;
}

/** Asks Redis to promote what is due in these streams. */
export type Promote = (
  link: RedisLink,
  lanes: readonly PromotedLane[],
  asker: string,
) => Promise<PromoteReply[]>;

export const promoteDue: Promote = async (link, lanes, asker) =>
  (await promoteScript.run(
    link.redis,
    lanes.flatMap(({ stream, schedule: { due, tasks, ledger, lease } }) => [
      stream,
      due,
      tasks,
      ledger,
      lease,
    ]),
    [MOST_TASKS, MOST_BYTES, asker, LEASE_MS],
  )) as PromoteReply[]; // as promote.lua returns it

/**
 * Moves delayed tasks into their streams when they are due.
 *
 * One process looks often, the one with the lease of the stream; the others now and then. What is due is decided and
 * moved in one script by the clock of Redis, so that neither the lease nor the clocks of consumers matter for what
 * happens, only for how soon.
 */
export class Promoter {
  readonly #link: RedisLink;
  readonly #lanes: readonly PromotedLane[];
  readonly #promote: Promote;
  readonly #report: ConsumerListener;
  readonly #asker = randomUUID();
  /** When each stream is to be looked at next, by performance.now(). */
  readonly #lookAt: number[];
  /** What Redis last said against promoting, by stream. */
  readonly #errors = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(
    streamName: string,
    streams: readonly string[],
    link: RedisLink,
    report: ConsumerListener,
    promote: Promote = promoteDue,
  ) {
    const keys = queueKeys(streamName);
    this.#lanes = streams.map((stream) => ({ stream, schedule: keys.schedule(stream) }));
    this.#link = link;
    this.#report = report;
    this.#promote = promote;
    this.#lookAt = streams.map(() => 0);
  }

  start(): void {
    this.lookNow();
  }

  /** Looks at all streams at once: Redis has been away, for instance. */
  lookNow(): void {
    this.#lookAt.fill(0);
    this.#schedule();
  }

  /** Looks no more, and lets others take the leases. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
    if (!this.#link.up) return;
    const leases = this.#lanes.map(({ schedule }) => schedule.lease);
    await releaseLeaseScript.run(this.#link.redis, leases, [this.#asker]).catch(() => undefined);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#stopped || this.#looking !== undefined) return;
    const wait = Math.max(0, Math.min(...this.#lookAt) - performance.now());
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
        this.#schedule();
      });
    }, Math.ceil(wait));
  }

  async #look(): Promise<void> {
    const now = performance.now();
    const due = this.#lanes.flatMap((lane, i) => ((this.#lookAt[i] ?? 0) <= now ? [{ lane, i }] : []));
    // Set before Redis is asked, so that `lookNow` can only bring it forward.
    for (const { i } of due) this.#lookAt[i] = now + LOOSE_MS * (0.8 + 0.4 * Math.random());
    if (!this.#link.up || due.length === 0) return;
    try {
      const lanes = due.map(({ lane }) => lane);
      const replies = await this.#promote(this.#link, lanes, this.#asker);
      for (const [k, { lane, i }] of due.entries()) this.#heard(lane, i, replies[k]);
    } catch (error) {
      this.#failed(error);
    }
  }

  #heard({ stream, schedule }: PromotedLane, i: number, reply: PromoteReply | undefined): void {
    if (reply === undefined) return;
    const [nextInMs, hasLease, , lost, error] = reply;
    // As long as nothing changes, once is enough.
    if (error !== '' && this.#errors.get(stream) !== error) {
      this.#report({ type: 'internal-error', where: `promoter of ${stream}`, error: new Error(error) });
    }
    this.#errors.set(stream, error);
    if (lost.length > 0) this.#report({ type: 'tasks-lost', stream: schedule.due, entryIds: lost });
    const wait = nextInMs === 0 ? 0 : hasLease === 1 ? CLOSE_MS : Number.POSITIVE_INFINITY;
    const soonest = nextInMs > 0 && hasLease === 1 ? Math.min(wait, nextInMs) : wait;
    this.#lookAt[i] = Math.min(this.#lookAt[i] ?? 0, performance.now() + soonest);
  }

  /** Redis away, loading, read-only: it passes by itself, and is reported by whoever it keeps from working. */
  #failed(error: unknown): void {
    const refusal = refusalOf(error);
    if (error instanceof LinkClosed || refusal === undefined || PASSING.has(refusal)) return;
    this.#report({ type: 'internal-error', where: 'promoter', error });
  }
}

const PASSING: ReadonlySet<string> = new Set(['LOADING', 'READONLY', 'MISCONF', 'OOM', 'MASTERDOWN', 'BUSY']);
