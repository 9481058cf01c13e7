import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { CronRuns, type EnqueueReply } from './cron/cron-runs.js';
import type { ResolvedSchedule } from './cron/cron-schedules.js';
import type { LaneKeys } from './redis/group.js';
import type { RedisLink } from './redis/redis-link.js';
import type { BreakerNews } from './settling/breaker.js';
import type { Blame, Outcome } from './settling/outcome.js';
import {
  type BreakerFlags,
  type LeftAlone,
  OutcomeWriter,
  type Parked,
  type ToPark,
  type TrackedEntry,
} from './settling/outcome-writer.js';
import { type Promote, type PromoteReply, promoteDue } from './supervisor/promoter.js';
import { TaskSpans, type TracedTask } from './traces/task-spans.js';

/**
 * Promises that a consumer can be made to break on purpose, for the negative controls of the tests: a test that does
 * not fail with the promise broken has shown nothing. Not an option: the symbol cannot be set by accident.
 */
export const BREAK = Symbol.for('sluice.break');

export type Broken =
  /** Acknowledges tasks before their handler has run. */
  | 'acknowledge-first'
  /** Writes the outcome of tasks that others have taken over. */
  | 'no-fencing'
  /** Lets the leases of long tasks run out. */
  | 'no-renewal'
  /** Does not tell handlers that their task was taken over. */
  | 'no-lease-notice'
  /** Starts what was delivered to it however long ago. */
  | 'start-late'
  /** Leaves what dead consumers held where it is. */
  | 'no-take-over'
  /** Forgets that an attempt has failed. */
  | 'no-attempt-count'
  /** Tries again at once. */
  | 'no-backoff'
  /** Retries by appending a copy, which every group of the stream sees. */
  | 'retry-by-append'
  /** Promotes delayed tasks step by step, so that two processes may promote the same one. */
  | 'promote-in-steps'
  /** Promotes what is due by the clock of this process. */
  | 'promote-by-own-clock'
  /** Enqueues the runs of cron schedules without looking who else has. */
  | 'cron-without-last-run'
  /** Deletes what it has acknowledged, whoever else has yet to read it. */
  | 'delete-when-settled'
  /** Counts failures against their tasks whatever the breaker says, and buries those of a last attempt. */
  | 'no-excuse'
  /** Each thread has a breaker of its own. */
  | 'breaker-per-thread'
  /** Each thread may start as many tasks as the whole group may. */
  | 'limit-per-thread'
  /** Makes no span of each tenth run, and does not say so. */
  | 'loses-spans'
  /** Makes the span of each tenth run a child of the request before its own. */
  | 'mixes-up-spans';

/** The keys of a thread's lanes: those of the group, unless it is asked to be broken. */
export function keysOfThread(keys: LaneKeys, consumer: string, broken: Broken | undefined): LaneKeys {
  if (broken === 'breaker-per-thread') {
    return { ...keys, breaker: `${keys.breaker}:${consumer}`, failures: `${keys.failures}:${consumer}` };
  }
  return broken === 'limit-per-thread' ? { ...keys, rate: `${keys.rate}:${consumer}` } : keys;
}

/** The writer of a consumer: as it should be, unless it is asked to be broken. */
export function outcomeWriter(group: string, consumer: string, broken: Broken | undefined): OutcomeWriter {
  return broken === undefined
    ? new OutcomeWriter(group, consumer)
    : new BrokenOutcomeWriter(group, consumer, broken);
}

/** What makes the spans of a thread. */
export function taskSpansOf(broken: Broken | undefined): typeof TaskSpans {
  if (broken === 'loses-spans') return LosingTaskSpans;
  return broken === 'mixes-up-spans' ? MixingTaskSpans : TaskSpans;
}

/** How a consumer promotes delayed tasks. */
export function promoteOf(broken: Broken | undefined): Promote {
  if (broken === 'promote-in-steps') return promoteInSteps;
  return broken === 'promote-by-own-clock' ? promoteByOwnClock : promoteDue;
}

/** How a consumer enqueues the runs of cron schedules. */
export function cronRunsOf(broken: Broken | undefined, link: RedisLink, streamName: string): CronRuns {
  return broken === 'cron-without-last-run'
    ? new ForgetfulCronRuns(link, streamName)
    : new CronRuns(link, streamName);
}

/** Runs of which one is treated wrongly. */
const EACH = 10;

class LosingTaskSpans extends TaskSpans {
  #runs = 0;

  override end(task: TracedTask, outcome: Outcome): void {
    this.#runs++;
    if (this.#runs % EACH !== 0) super.end(task, outcome);
  }
}

class MixingTaskSpans extends TaskSpans {
  #runs = 0;
  #before = '';

  override end(
    { taskId, taskType, traceContext, traceState, deliveries, span }: TracedTask,
    outcome: Outcome,
  ): void {
    this.#runs++;
    const parentId = this.#runs % EACH === 0 ? this.#before : (span?.parentId ?? '');
    this.#before = span?.parentId ?? '';
    const mixed = span && { ...span, parentId };
    super.end({ taskId, taskType, traceContext, traceState, deliveries, span: mixed }, outcome);
  }
}

class ForgetfulCronRuns extends CronRuns {
  override async enqueue(
    { taskType, payload }: ResolvedSchedule,
    runs: readonly number[],
  ): Promise<EnqueueReply> {
    for (const run of runs) {
      const fields = ['task_id', `run-${run}`, 'type', taskType, 'payload', payload];
      await this.link.redis.xadd(this.streamOf(taskType), '*', ...fields);
    }
    const [seconds] = await this.link.redis.time();
    return [Number(seconds) * 1000, runs.at(-1) ?? 0, runs.length, 0];
  }
}

/** A moment between looking and deleting, as every process has one that does not use a script. */
const BETWEEN_MS = 60;

const promoteInSteps: Promote = ({ redis }, lanes) =>
  Promise.all(
    lanes.map(async ({ stream, schedule }): Promise<PromoteReply> => {
      const [seconds, microseconds] = await redis.time();
      const now = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
      for (const id of await redis.zrangebyscore(schedule.due, '-inf', now)) {
        const unpack = "return cmsgpack.unpack(redis.call('HGET', KEYS[1], ARGV[1]))";
        const fields = (await redis.eval(unpack, 1, schedule.tasks, id).catch(() => [])) as string[];
        if (fields.length > 0) await redis.xadd(stream, '*', ...fields);
      }
      await pause(BETWEEN_MS);
      await redis.zremrangebyscore(schedule.due, '-inf', now);
      return [-1, 1, 0, [], ''];
    }),
  );

const promoteByOwnClock: Promote = async (link, lanes, asker) => {
  for (const { schedule } of lanes) {
    for (const id of await link.redis.zrangebyscore(schedule.due, '-inf', Date.now()))
      await link.redis.zadd(schedule.due, 'XX', 0, id);
  }
  return promoteDue(link, lanes, asker);
};

class BrokenOutcomeWriter extends OutcomeWriter {
  readonly #groupName: string;
  readonly #broken: Broken;

  constructor(group: string, consumer: string, broken: Broken) {
    super(group, consumer);
    this.#groupName = group;
    this.#broken = broken;
  }

  override async acknowledge(
    redis: Redis,
    keys: LaneKeys,
    ids: readonly string[],
    tracked: readonly TrackedEntry[],
  ): Promise<LeftAlone> {
    const left = await super.acknowledge(redis, keys, ids, tracked);
    if (this.#broken === 'delete-when-settled') await redis.xdel(keys.stream, ...ids);
    if (this.#broken === 'no-fencing' && left.fenced.length > 0) {
      const acknowledged = await redis.xack(keys.stream, this.#groupName, ...left.fenced);
      await redis.xdel(keys.stream, ...left.fenced);
      await redis.hincrby(keys.ledger, 'done', acknowledged);
      return { fenced: [], lost: [] };
    }
    return left;
  }

  protected override flagsOf(blame: Blame): BreakerFlags {
    const flags = super.flagsOf(blame);
    return this.#broken === 'no-excuse' ? [flags[0], 0] : flags;
  }

  override async park(
    redis: Redis,
    keys: LaneKeys,
    entries: readonly ToPark[],
    news: BreakerNews,
  ): Promise<Parked> {
    switch (this.#broken) {
      case 'no-attempt-count':
        return super.release(
          redis,
          keys,
          entries.map(({ id }) => ({ id, reason: 'excused' })),
        );
      case 'no-backoff':
        return super.park(
          redis,
          keys,
          entries.map((entry) => ({ ...entry, delayMs: 0 })),
          news,
        );
      case 'retry-by-append':
        await appendCopies(redis, keys.stream, entries);
        return super.park(redis, keys, entries, news);
      default:
        return super.park(redis, keys, entries, news);
    }
  }
}

/** Appends entries a second time; a copy is not copied again, or there would be no end to it. */
async function appendCopies(redis: Redis, stream: string, entries: readonly { id: string }[]): Promise<void> {
  for (const { id } of entries) {
    const [entry] = await redis.xrange(stream, id, id);
    if (entry === undefined || entry[1].includes('copy_of')) continue;
    await redis.xadd(stream, '*', ...entry[1], 'copy_of', id);
  }
}
