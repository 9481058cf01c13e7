import { randomUUID } from 'node:crypto';
import { DEFAULT_TASK_TYPE, newTraceparent, redisConnection } from '@sluice/contract';
import { Redis } from 'ioredis';
import { BODY } from '../load/body.js';
import type { Books, TaskQueue } from './consumer-peer.js';

export const STREAM = 'bench:stream';
export const GROUP = 'processors';

const TIMEOUT_MS = 10_000;
const CHUNK = 500;
/** Chunks on their way at once. */
const PIPELINED = 8;

/** Appends entries as the engine does. KEYS stream. ARGV timestamp, type, payload, trace context, task id ... */
const APPEND = `
for i = 5, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'task_id', ARGV[i], 'timestamp', ARGV[1], 'type', ARGV[2],
    'content_type', 'application/json', 'payload', ARGV[3], 'trace_context', ARGV[4])
end`;

/**
 * A stream with the entries that the engine writes.
 *
 * @param readBooks how its consumer keeps the books
 */
export async function openStreamQueue(
  redisUrl: string,
  readBooks: (redis: Redis) => Promise<Books>,
): Promise<TaskQueue> {
  const redis = await connect(redisUrl);
  return {
    redisVersion: await versionOf(redis),
    prefill: (tasks) => append(redis, tasks),
    books: () => readBooks(redis),
    close: async () => redis.disconnect(),
  };
}

/** A connection for the bench itself. */
export async function connect(redisUrl: string): Promise<Redis> {
  const redis = new Redis(redisUrl, redisConnection('sluice-bench', TIMEOUT_MS));
  redis.on('error', () => {}); // every command reports it
  await redis.connect();
  return redis;
}

export async function versionOf(redis: Redis): Promise<string> {
  return /^redis_version:(.*)$/m.exec(await redis.info('server'))?.[1]?.trim() ?? 'unknown';
}

/** Figures of the group, from XINFO GROUPS. */
export async function groupFigures(redis: Redis): Promise<{ delivered: number; pending: number }> {
  const [group] = (await redis.xinfo('GROUPS', STREAM)) as unknown[][]; // names and values by turns
  if (group === undefined) return { delivered: 0, pending: 0 };
  const figure = (name: string): number => Number(group[group.indexOf(name) + 1]);
  return { delivered: figure('entries-read'), pending: figure('pending') };
}

async function append(redis: Redis, tasks: number): Promise<void> {
  const common = [new Date().toISOString(), DEFAULT_TASK_TYPE, BODY, newTraceparent()];
  for (let added = 0; added < tasks; ) {
    const pipeline = redis.pipeline();
    for (let chunk = 0; chunk < PIPELINED && added < tasks; chunk++) {
      const ids = Array.from({ length: Math.min(CHUNK, tasks - added) }, () => randomUUID());
      pipeline.eval(APPEND, 1, STREAM, ...common, ...ids);
      added += ids.length;
    }
    const replies = (await pipeline.exec()) ?? [];
    for (const [error] of replies) if (error !== null) throw error;
  }
}
