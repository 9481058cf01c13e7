import { setTimeout as pause } from 'node:timers/promises';
import { TRACKED_FIELD } from '@sluice/contract';
import type { ConsumerListener } from '@sluice/telemetry';
import type { LaneKeys } from '../redis/group.js';
import { LinkClosed, type RedisLink, refusalOf } from '../redis/redis-link.js';
import { NO_NEWS } from '../settling/breaker.js';
import { type LeftAlone, OutcomeWriter, type TrackedEntry } from '../settling/outcome-writer.js';
import { RefusedOutcomes } from '../settling/refused-outcomes.js';
import { monotonicMs } from '../thread/clock.js';
import { type Aftermath, aftermathOf, type End } from './aftermath.js';
import type { WorkerThread } from './worker-thread.js';

/** Bound of one script call. */
const CHUNK = 200;
const RETRY_PAUSE_MS = 200;

/** What was settled in the name of a thread. */
export interface SettledForThread {
  done: number;
  retried: number;
  dead: number;
  /** Given back: they run again at once. */
  released: number;
  /** Others had taken them over. */
  fenced: number;
  /** Gone from their stream. */
  lost: number;
}

/**
 * What it means that an entry was not pending for the thread any more: the thread had written it, and ended before it
 * counted; others have taken it over; or it was given back, by whoever it was.
 */
type FencedMeans = 'written' | 'taken over' | 'given back';

function nothingSettled(): SettledForThread {
  return { done: 0, retried: 0, dead: 0, released: 0, fenced: 0, lost: 0 };
}

/** Settles what a thread held when it ended, in the thread's name. Every step may be repeated: scripts fence. */
export class AftermathWriter {
  readonly #group: string;
  readonly #lanes: readonly LaneKeys[];
  readonly #link: RedisLink;
  readonly #report: ConsumerListener;
  readonly #refused: RefusedOutcomes;

  constructor(group: string, lanes: readonly LaneKeys[], link: RedisLink, report: ConsumerListener) {
    this.#group = group;
    this.#lanes = lanes;
    this.#link = link;
    this.#report = report;
    this.#refused = new RefusedOutcomes(report);
  }

  /** Waits for Redis as long as it takes; ends early when the connection is closed. */
  async settle(thread: WorkerThread, end: End): Promise<SettledForThread> {
    const settled = nothingSettled();
    const writer = new OutcomeWriter(this.#group, thread.consumer);
    // It has ended: nobody else counts there any more.
    const { metrics } = thread;
    for (const [index, aftermath] of aftermathOf(thread.board.held(), end, thread.policies)) {
      const keys = this.#lanes[index];
      if (keys === undefined) continue;
      for (let i = 0; i < aftermath.timedOut; i++) metrics.happened(index, 'timeouts');
      const ofLane = await this.#settleLane(writer, keys, aftermath);
      for (const outcome of Object.keys(ofLane) as (keyof SettledForThread)[]) {
        settled[outcome] += ofLane[outcome];
        metrics.settled(index, outcome, ofLane[outcome]);
      }
    }
    return settled;
  }

  async #settleLane(
    writer: OutcomeWriter,
    keys: LaneKeys,
    { done, toRelease, toPark, toBury }: Aftermath,
  ): Promise<SettledForThread> {
    const { redis } = this.#link;
    const { stream } = keys;
    const settled = nothingSettled();
    const take = async (
      entries: number,
      fencedMeans: FencedMeans,
      write: () => Promise<LeftAlone>,
    ): Promise<number> => {
      const left = await this.#insist(stream, write);
      if (left === undefined) return 0;
      const { fenced, lost } = left;
      if (fencedMeans === 'taken over') {
        settled.fenced += fenced.length;
        for (const entryId of fenced) this.#report({ type: 'outcome-fenced', stream, entryId });
      }
      settled.lost += lost.length;
      if (lost.length > 0) this.#report({ type: 'tasks-lost', stream, entryIds: lost });
      return entries - lost.length - (fencedMeans === 'written' ? 0 : fenced.length);
    };
    for (const chunk of chunksOf(done)) {
      settled.done += await take(chunk.length, 'written', async () => {
        const tracked = await this.#trackedAmong(keys, chunk);
        return writer.acknowledge(redis, keys, chunk, tracked);
      });
    }
    for (const entry of toPark) {
      const facts = await this.#factsOf(keys, entry.id);
      const { deliveries: attempt, delayMs, error } = entry;
      const written = await take(1, meaningFor(entry), () =>
        writer.park(redis, keys, [{ ...entry, ranMs: heldMs(entry) }], NO_NEWS),
      );
      settled.retried += written;
      if (written > 0) this.#report({ type: 'task-retried', ...facts, attempt, delayMs, error });
    }
    for (const entry of toBury) {
      const facts = await this.#factsOf(keys, entry.id);
      let pardoned = false;
      const written = await take(1, meaningFor(entry), async () => {
        const toBuryNow = { ...entry, ranMs: heldMs(entry), canWait: false };
        const buried = await writer.bury(redis, keys, [toBuryNow], NO_NEWS);
        pardoned = buried.pardoned !== undefined && buried.pardoned.length > 0;
        return buried;
      });
      if (written === 0) continue;
      const { deliveries: attempt, outcome } = entry;
      const error = `${outcome.evidence.name}: ${outcome.evidence.message}`;
      if (pardoned) {
        settled.retried += 1;
        this.#report({ type: 'task-retried', ...facts, attempt, delayMs: outcome.delayMs, error });
      } else {
        settled.dead += 1;
        this.#report({ type: 'task-dead', ...facts, attempt, error });
      }
    }
    for (const chunk of chunksOf(toRelease)) {
      settled.released += await take(chunk.length, 'given back', () => writer.release(redis, keys, chunk));
    }
    return settled;
  }

  /** Writes, however often it takes. Returns what was left alone, or nothing when the connection was closed. */
  async #insist(stream: string, write: () => Promise<LeftAlone>): Promise<LeftAlone | undefined> {
    for (let isUncertain = false; ; isUncertain = true) {
      try {
        await this.#link.ready();
        const { fenced, lost } = await write();
        // After a lost reply "not pending for it" most likely means that the first try had worked.
        return { fenced: isUncertain ? [] : fenced, lost };
      } catch (error) {
        // Without a group there is nothing pending: FLUSHALL took it all.
        if (error instanceof LinkClosed || refusalOf(error) === 'NOGROUP') return undefined;
        this.#refused.note(stream, error);
        await pause(RETRY_PAUSE_MS);
      }
    }
  }

  /** Which entries are of tasks whose status can be asked for. */
  async #trackedAmong(keys: LaneKeys, ids: readonly string[]): Promise<TrackedEntry[]> {
    const tracked: TrackedEntry[] = [];
    for (const id of ids) {
      const fields = await this.#fieldsOf(keys, id);
      const taskId = fields.get('task_id');
      if (taskId !== undefined && fields.has(TRACKED_FIELD)) tracked.push({ id, taskId });
    }
    return tracked;
  }

  /** What events say of a task; the board knows only its entry. */
  async #factsOf(keys: LaneKeys, id: string) {
    const facts = { taskId: '', taskType: keys.taskType, traceContext: '' };
    try {
      const fields = await this.#fieldsOf(keys, id);
      facts.taskId = fields.get('task_id') ?? facts.taskId;
      facts.taskType = fields.get('type') ?? facts.taskType;
      facts.traceContext = fields.get('trace_context') ?? facts.traceContext;
    } catch {
      // Only the log line is poorer for it.
    }
    return facts;
  }

  async #fieldsOf(keys: LaneKeys, id: string): Promise<Map<string, string>> {
    const flat = (await this.#link.redis.xrange(keys.stream, id, id))[0]?.[1] ?? [];
    const fields = new Map<string, string>();
    for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i] ?? '', flat[i + 1] ?? '');
    return fields;
  }
}

function meaningFor(entry: { maybeWritten: boolean }): FencedMeans {
  return entry.maybeWritten ? 'written' : 'taken over';
}

/** For so long at most it has run: when it was started is not known. A run before a breaker closed is excused for it. */
function heldMs({ heldSince }: { heldSince: number }): number {
  return Math.max(0, Math.round(monotonicMs() - heldSince));
}

function* chunksOf<T>(all: readonly T[]): Generator<T[]> {
  for (let i = 0; i < all.length; i += CHUNK) yield all.slice(i, i + CHUNK);
}
