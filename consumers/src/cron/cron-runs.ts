import { newTraceparent, queueKeys } from '@sluice/contract';
import type { RedisLink } from '../redis/redis-link.js';
import { cronEnqueueScript, cronLookScript } from '../redis/scripts.js';
import type { ResolvedSchedule } from './cron-schedules.js';
import { runId } from './run-id.js';

/** A schedule that no consumer has had for this long is forgotten: should it come back, it starts anew. */
const FORGET_AFTER_MS = 30 * 86_400_000;
/** Schedules that a queue knows at most, over all its consumers. */
const MOST_KNOWN = 10_000;
/** Entries that a stream may have for runs to be added to it: so many the engine lets in by default. */
const MOST_BACKLOG = 100_000;

/** Answer of cron-look.lua. */
export type LookReply = [now: number, lasts: number[]];
/** Answer of cron-enqueue.lua. */
export type EnqueueReply = [now: number, last: number, enqueued: number, full: number];

/** The runs of cron schedules as Redis knows them. */
export class CronRuns {
  protected readonly link: RedisLink;
  protected readonly streamName: string;
  readonly #keys: ReturnType<typeof queueKeys>;

  constructor(link: RedisLink, streamName: string) {
    this.link = link;
    this.streamName = streamName;
    this.#keys = queueKeys(streamName);
  }

  /**
   * When schedules last ran, or became known.
   *
   * @param schedules with the next run of each, as far as it is known
   */
  async look(schedules: readonly { name: string; next: number | undefined }[]): Promise<LookReply> {
    const args = schedules.flatMap(({ name, next }) => [name, next ?? 0]);
    const reply = await cronLookScript.run(
      this.link.redis,
      [this.#keys.cronRuns],
      [FORGET_AFTER_MS, MOST_KNOWN, ...args],
    );
    return reply as LookReply; // as cron-look.lua returns it
  }

  /**
   * Enqueues runs, those that are due and that nobody else has enqueued.
   *
   * @param runs in order
   * @param next the run after them, if there is one
   */
  async enqueue(
    { name, taskType, payload }: ResolvedSchedule,
    runs: readonly number[],
    next: number | undefined,
  ): Promise<EnqueueReply> {
    const messages = runs.flatMap((run) => [
      run,
      runId(this.streamName, name, run),
      new Date(run).toISOString(),
      newTraceparent(),
    ]);
    const reply = await cronEnqueueScript.run(
      this.link.redis,
      [this.streamOf(taskType), this.#keys.cronRuns],
      [name, next ?? 0, MOST_BACKLOG, taskType, 'application/json', payload, ...messages],
    );
    return reply as EnqueueReply; // as cron-enqueue.lua returns it
  }

  protected streamOf(taskType: string): string {
    return this.#keys.stream(taskType);
  }
}
