import { randomBytes } from 'node:crypto';
import { queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { createGroupScript } from './scripts.js';

/** Everything in Redis that belongs to one task type, seen from one group. */
export interface LaneKeys {
  readonly taskType: string;
  readonly stream: string;
  readonly attempts: string;
  readonly retries: string;
  readonly ledger: string;
  readonly breaker: string;
  readonly failures: string;
  readonly rate: string;
  readonly deadLetters: string;
}

/** The keys of each task type, in the same order. */
export function laneKeys(streamName: string, group: string, taskTypes: readonly string[]): LaneKeys[] {
  const keys = queueKeys(streamName);
  return taskTypes.map((taskType) => {
    const stream = keys.stream(taskType);
    return {
      taskType,
      stream,
      attempts: keys.attempts(stream, group),
      retries: keys.retries(stream, group),
      ledger: keys.ledger(stream, group),
      breaker: keys.breaker(stream, group),
      failures: keys.failures(stream, group),
      rate: keys.rate(stream, group),
      deadLetters: keys.deadLetters,
    };
  });
}

/**
 * Creates the group, and the stream if need be. Returns false when it existed.
 *
 * From the beginning of the stream and not from its end: what was appended before the first consumer came, or
 * after a FLUSHALL before this noticed, is to be worked off too.
 */
export async function createGroup(
  redis: Redis,
  { stream, ledger }: Pick<LaneKeys, 'stream' | 'ledger'>,
  group: string,
): Promise<boolean> {
  return (await createGroupScript.run(redis, [stream, ledger], [group])) === 1;
}

/**
 * Takes a consumer name that nobody uses or has used, and returns it: the wanted one if it is free, else the
 * wanted one with a suffix. Containers share host names and process ids more often than one thinks, and two
 * processes under one name would settle each other's tasks.
 */
export async function takeConsumerName(
  redis: Redis,
  streams: readonly string[],
  group: string,
  wanted: string,
): Promise<string> {
  for (let name = wanted; ; name = `${wanted}#${randomBytes(3).toString('hex')}`) {
    const created = await Promise.all(
      // The first thread stands for all threads of the process.
      streams.map((stream) => redis.xgroup('CREATECONSUMER', stream, group, threadConsumer(name, 0))),
    );
    if (created.every((one) => one === 1)) return name;
  }
}

/** The name of a thread among the consumers of the group. */
export function threadConsumer(processName: string, thread: number): string {
  return `${processName}:${thread}`;
}
