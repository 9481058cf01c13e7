import { queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { audit } from '../audit/audit.js';
import { auditLine } from '../audit/report-text.js';
import { timeOf } from '../entry-id.js';
import { findQueue } from '../queue-search.js';
import { redisNow } from '../redis.js';
import { factOf } from '../reply.js';
import type {
  BreakerState,
  ConsumerState,
  DelayedState,
  GroupState,
  QueueFacts,
  ScheduleState,
  StreamState,
} from './facts.js';

/** Consumers look for what is due at least once a second; this long after, nobody does. */
const OVERDUE_MS = 5_000;

type Reply = readonly unknown[];

/** Looks at the streams of a queue, their groups and consumers. */
export async function gatherQueueFacts(redis: Redis, streamName: string): Promise<QueueFacts> {
  const keys = queueKeys(streamName);
  const found = await findQueue(redis, streamName);
  const at = await redisNow(redis);
  const streams: StreamState[] = [];
  for (const taskType of found.types) {
    const state = await lookAtStream(redis, streamName, taskType, at);
    if (state !== undefined) streams.push(state);
  }
  return {
    ...found,
    wrongTypes: [...found.wrongTypes, ...(await wrongSideKeys(redis, streamName, found.types, streams))],
    streamName,
    at,
    streams,
    delayed: await lookAtDelayed(redis, streamName, found.types, at),
    schedules: await lookAtSchedules(redis, keys.cronRuns),
    deadLetters: await lookAtDeadLetters(redis, keys.deadLetters),
    overlapping: await overlapping(redis, streamName, found.foreignStreams),
    auditFaults: await auditAll(redis, streamName, streams),
  };
}

/** The streams once more, with what was appended since. */
export async function withGrowth(redis: Redis, facts: QueueFacts): Promise<QueueFacts> {
  const streams: StreamState[] = [];
  for (const before of facts.streams) {
    const now = await lookAtStream(redis, facts.streamName, before.taskType, facts.at);
    streams.push({ ...before, appendedMeanwhile: (now?.appendedMeanwhile ?? 0) - before.appendedMeanwhile });
  }
  return { ...facts, streams };
}

/** `appendedMeanwhile` is here what was ever appended. */
async function lookAtStream(
  redis: Redis,
  streamName: string,
  taskType: string,
  at: number,
): Promise<StreamState | undefined> {
  const stream = queueKeys(streamName).stream(taskType);
  try {
    const info = (await redis.call('XINFO', 'STREAM', stream)) as Reply;
    const groups = (await redis.call('XINFO', 'GROUPS', stream)) as Reply[];
    return {
      stream,
      taskType,
      length: Number(factOf(info, 'length')),
      appendedMeanwhile: Number(factOf(info, 'entries-added')),
      groups: await Promise.all(groups.map((reply) => lookAtGroup(redis, streamName, stream, reply, at))),
    };
  } catch (error) {
    if (error instanceof Error && /no such key/i.test(error.message)) return undefined; // gone meanwhile
    throw error;
  }
}

async function lookAtGroup(
  redis: Redis,
  streamName: string,
  stream: string,
  reply: Reply,
  at: number,
): Promise<GroupState> {
  const keys = queueKeys(streamName);
  const group = String(factOf(reply, 'name'));
  const lag = factOf(reply, 'lag');
  const consumers = (await redis.call('XINFO', 'CONSUMERS', stream, group)) as Reply[];
  return {
    group,
    lag: typeof lag === 'number' ? lag : undefined,
    pending: Number(factOf(reply, 'pending')),
    consumers: consumers.map(
      (one): ConsumerState => ({
        name: String(factOf(one, 'name')),
        pending: Number(factOf(one, 'pending')),
        idleMs: Number(factOf(one, 'idle')),
      }),
    ),
    // Of a wrong type: that is a finding of its own.
    overdue: await redis.zcount(keys.retries(stream, group), '-inf', at - OVERDUE_MS).catch(() => 0),
    breaker: await lookAtBreaker(redis, keys.breaker(stream, group)),
    rateLimited: (await redis.exists(keys.rate(stream, group))) === 1,
    attempts: await redis.hlen(keys.attempts(stream, group)).catch(() => 0),
  };
}

async function lookAtDelayed(
  redis: Redis,
  streamName: string,
  types: readonly string[],
  at: number,
): Promise<DelayedState[]> {
  const keys = queueKeys(streamName);
  const all = await Promise.all(
    types.map(async (taskType) => {
      const stream = keys.stream(taskType);
      const { due } = keys.schedule(stream);
      // Of a wrong type: that is a finding of its own.
      const waiting = await redis.zcard(due).catch(() => 0);
      const overdue = await redis.zcount(due, '-inf', at - OVERDUE_MS).catch(() => 0);
      return { stream, taskType, waiting, overdue };
    }),
  );
  return all.filter(({ waiting }) => waiting > 0);
}

async function lookAtSchedules(redis: Redis, key: string): Promise<ScheduleState[]> {
  // Of a wrong type: that is a finding of its own.
  const known = await redis.hgetall(key).catch(() => ({}));
  return Object.entries<string>(known).map(([name, text]) => {
    const [, next = 0, seen = 0] = text.split(':').map(Number);
    return { name, next: next > 0 ? next : undefined, seen };
  });
}

async function lookAtBreaker(redis: Redis, key: string): Promise<BreakerState | undefined> {
  try {
    const [state, since, opens] = await redis.hmget(key, 'state', 'since', 'opens');
    if (state !== 'open' && state !== 'half-open') return undefined;
    return { state, since: Number(since), opens: Number(opens) };
  } catch {
    return undefined; // of a wrong type: that is a finding of its own
  }
}

async function lookAtDeadLetters(redis: Redis, key: string): Promise<QueueFacts['deadLetters']> {
  const is = await redis.type(key);
  if (is !== 'stream') return { key, is, length: 0, oldest: undefined };
  const [first] = await redis.xrange(key, '-', '+', 'COUNT', 1);
  return {
    key,
    is,
    length: await redis.xlen(key),
    oldest: first === undefined ? undefined : timeOf(first[0]),
  };
}

async function wrongSideKeys(
  redis: Redis,
  streamName: string,
  types: readonly string[],
  streams: readonly StreamState[],
): Promise<{ key: string; is: string }[]> {
  const keys = queueKeys(streamName);
  const expected = streams.flatMap(({ stream, groups }) =>
    groups.flatMap(({ group }) => [
      { key: keys.retries(stream, group), should: 'zset' },
      { key: keys.attempts(stream, group), should: 'hash' },
      { key: keys.ledger(stream, group), should: 'hash' },
      { key: keys.breaker(stream, group), should: 'hash' },
      { key: keys.failures(stream, group), should: 'zset' },
      { key: keys.rate(stream, group), should: 'hash' },
    ]),
  );
  for (const type of types) {
    const { due, tasks, ledger, lease } = keys.schedule(keys.stream(type));
    expected.push({ key: due, should: 'zset' }, { key: lease, should: 'string' });
    expected.push({ key: tasks, should: 'hash' }, { key: ledger, should: 'hash' });
  }
  expected.push({ key: keys.cronRuns, should: 'hash' });
  expected.push({ key: keys.deadLetters, should: 'stream' });
  const kinds = await Promise.all(expected.map(({ key }) => redis.type(key)));
  return expected.flatMap(({ key, should }, i) => {
    const is = kinds[i] ?? 'none';
    return is === 'none' || is === should ? [] : [{ key, is }];
  });
}

/**
 * Keys of another queue that share a name with ours. Queue `tasks` has the type `stream` where queue `tasks:stream` has
 * its untyped tasks, and both have the dead-letter stream `tasks:dlq`.
 */
async function overlapping(
  redis: Redis,
  streamName: string,
  foreignStreams: readonly string[],
): Promise<string[]> {
  const twin = streamName.endsWith(':stream')
    ? streamName.slice(0, -':stream'.length)
    : `${streamName}:stream`;
  return (await redis.type(twin)) === 'stream' ? [...foreignStreams, twin] : [...foreignStreams];
}

async function auditAll(
  redis: Redis,
  streamName: string,
  streams: readonly StreamState[],
): Promise<{ group: string; line: string }[]> {
  const groups = new Set(streams.flatMap((stream) => stream.groups.map(({ group }) => group)));
  const faults: { group: string; line: string }[] = [];
  for (const group of groups) {
    try {
      const report = await audit({ redis, streamName, group });
      if (!report.ok) faults.push({ group, line: auditLine(report.total) });
    } catch (error) {
      faults.push({ group, line: `it cannot be audited: ${error instanceof Error ? error.message : error}` });
    }
  }
  return faults;
}
