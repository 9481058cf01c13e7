import { setTimeout as pause } from 'node:timers/promises';
import { TRACKED_FIELD } from '@sluice/contract';
import type { ConsumerListener } from '@sluice/telemetry';
import type { LaneKeys } from '../redis/group.js';
import { LinkClosed, type RedisLink, refusalOf } from '../redis/redis-link.js';
import { NO_NEWS } from '../settling/breaker.js';
import { type LeftAlone, OutcomeWriter, type TrackedEntry } from '../settling/outcome-writer.js';
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
}

function nothingSettled(): SettledForThread {
  return { done: 0, retried: 0, dead: 0, released: 0 };
}

/** Settles what a thread held when it ended, in the thread's name. Every step may be repeated: scripts fence. */
export class AftermathWriter {
  readonly #group: string;
  readonly #lanes: readonly LaneKeys[];
  readonly #link: RedisLink;
  readonly #report: ConsumerListener;

  constructor(group: string, lanes: readonly LaneKeys[], link: RedisLink, report: ConsumerListener) {
    this.#group = group;
    this.#lanes = lanes;
    this.#link = link;
    this.#report = report;
  }

  /** Waits for Redis as long as it takes; ends early when the connection is closed. */
  async settle(thread: WorkerThread, end: End): Promise<SettledForThread> {
    const settled = nothingSettled();
    const writer = new OutcomeWriter(this.#group, thread.consumer);
    for (const [index, aftermath] of aftermathOf(thread.board.held(), end, thread.policies)) {
      const keys = this.#lanes[index];
      if (keys === undefined) continue;
      const ofLane = await this.#settleLane(writer, keys, aftermath);
      for (const outcome of Object.keys(ofLane) as (keyof SettledForThread)[]) {
        settled[outcome] += ofLane[outcome];
        thread.metrics.settled(index, outcome, ofLane[outcome]); // it has ended: nobody else counts there any more
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
    const settled = nothingSettled();
    for (const chunk of chunksOf(done)) {
      settled.done += await this.#insist(chunk.length, async () => {
        const tracked = await this.#trackedAmong(keys, chunk);
        const { lost } = await writer.acknowledge(redis, keys, chunk, tracked);
        // "Not pending for it" most likely means that the thread's own write had worked, and it died before it counted.
        return { fenced: [], lost };
      });
    }
    for (const entry of toPark) {
      const facts = await this.#factsOf(keys, entry.id);
      settled.retried += await this.#insist(1, () =>
        writer.park(redis, keys, [{ ...entry, ranMs: 0 }], NO_NEWS),
      );
      const { deliveries: attempt, delayMs, error } = entry;
      this.#report({ type: 'task-retried', ...facts, attempt, delayMs, error });
    }
    for (const entry of toBury) {
      const facts = await this.#factsOf(keys, entry.id);
      let pardoned = false;
      const written = await this.#insist(1, async () => {
        const buried = await writer.bury(redis, keys, [{ ...entry, ranMs: 0, canWait: false }], NO_NEWS);
        pardoned = buried.pardoned !== undefined && buried.pardoned.length > 0;
        return buried;
      });
      const { deliveries: attempt, outcome } = entry;
      const error = `${outcome.evidence.name}: ${outcome.evidence.message}`;
      if (pardoned) {
        settled.retried += written;
        this.#report({ type: 'task-retried', ...facts, attempt, delayMs: outcome.delayMs, error });
      } else {
        settled.dead += written;
        this.#report({ type: 'task-dead', ...facts, attempt, error });
      }
    }
    for (const chunk of chunksOf(toRelease)) {
      settled.released += await this.#insist(chunk.length, () => writer.release(redis, keys, chunk));
    }
    return settled;
  }

  /** Returns how many entries were written; 0 when the connection was closed meanwhile. */
  async #insist(entries: number, write: () => Promise<LeftAlone>): Promise<number> {
    for (;;) {
      try {
        await this.#link.ready();
        const { fenced, lost } = await write();
        return entries - fenced.length - lost.length;
      } catch (error) {
        // Without a group there is nothing pending: FLUSHALL took it all.
        if (error instanceof LinkClosed || refusalOf(error) === 'NOGROUP') return 0;
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

function* chunksOf<T>(all: readonly T[]): Generator<T[]> {
  for (let i = 0; i < all.length; i += CHUNK) yield all.slice(i, i + CHUNK);
}
