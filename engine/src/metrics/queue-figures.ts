import { PARKED, type QueueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';

/** What a group has of a stream. */
export interface GroupFigures {
  readonly group: string;
  /** Tasks it has not read yet; undefined where Redis cannot tell. */
  readonly lag: number | undefined;
  readonly pending: number;
  /** Those that were heard of within the last minute. */
  readonly consumers: number;
  /** Of the pending ones, those that wait for their next attempt. */
  readonly retriesWaiting: number;
  readonly breaker: 'closed' | 'half-open' | 'open';
  readonly ledger: Readonly<Record<string, number>>;
}

export interface StreamFigures {
  readonly stream: string;
  /** Entries ever added. */
  readonly added: number;
  /** Tasks that not every group has acknowledged. */
  readonly backlog: number;
  /** Of the backlog, those that could be worked off now: retries whose time has not come are no work yet. */
  readonly workable: number;
  readonly scheduled: number;
  readonly scheduleLedger: Readonly<Record<string, number>>;
  readonly groups: readonly GroupFigures[];
}

/** Groups of a stream that are looked at: somebody may have made any number of them. */
const MOST_GROUPS = 20;
/** Of a group that has more consumers, all are taken to be alive: it is not asked for them one by one every second. */
const MOST_CONSUMERS = 1000;
/** A live consumer reads, or renews its leases, much more often. */
const DEAD_AFTER_MS = 60_000;
/** What a ledger counts at most; anybody may have written into it. */
const MOST_OUTCOMES = 32;
const OUTCOME = /^[a-z_]{1,32}$/;

/** Looks up what Redis has of a stream, in three round trips. */
export async function readStreamFigures(
  redis: Redis,
  keys: QueueKeys,
  stream: string,
): Promise<StreamFigures> {
  const schedule = keys.schedule(stream);
  const [exists, scheduled, scheduleLedger] = await Promise.all([
    redis.exists(stream),
    redis.zcard(schedule.due),
    redis.hgetall(schedule.ledger),
  ]);
  const delayed = { stream, scheduled, scheduleLedger: countsOf(scheduleLedger) };
  if (exists === 0) return { ...delayed, added: 0, backlog: 0, workable: 0, groups: [] };
  const [info, found] = await Promise.all([
    redis.xinfo('STREAM', stream) as Promise<unknown[]>,
    redis.xinfo('GROUPS', stream) as Promise<unknown[][]>,
  ]);
  const length = numberOf(info, 'length');
  const groups = await Promise.all(
    found.slice(0, MOST_GROUPS).map((group) => readGroupFigures(redis, keys, stream, group)),
  );
  const behind = groups.map(({ lag, pending }) => (lag === undefined ? length : lag + pending));
  const workable = groups.map(({ retriesWaiting }, i) => (behind[i] ?? 0) - retriesWaiting);
  return {
    ...delayed,
    added: numberOf(info, 'entries-added'),
    backlog: groups.length === 0 ? length : Math.min(length, Math.max(...behind)),
    workable: groups.length === 0 ? length : Math.max(0, Math.min(length, Math.max(...workable))),
    groups,
  };
}

async function readGroupFigures(
  redis: Redis,
  keys: QueueKeys,
  stream: string,
  info: readonly unknown[],
): Promise<GroupFigures> {
  const group = String(fieldOf(info, 'name'));
  const lag = fieldOf(info, 'lag');
  const known = numberOf(info, 'consumers');
  const [retriesWaiting, breaker, ledger, consumers] = await Promise.all([
    redis.zcard(keys.retries(stream, group)),
    redis.hget(keys.breaker(stream, group), 'state'),
    redis.hgetall(keys.ledger(stream, group)),
    known > MOST_CONSUMERS ? undefined : (redis.xinfo('CONSUMERS', stream, group) as Promise<unknown[][]>),
  ]);
  return {
    group,
    lag: typeof lag === 'number' ? lag : undefined,
    pending: numberOf(info, 'pending'),
    consumers: consumers === undefined ? known : liveConsumers(consumers),
    retriesWaiting,
    breaker: breaker === 'open' || breaker === 'half-open' ? breaker : 'closed',
    ledger: countsOf(ledger),
  };
}

/**
 * How many consumers of a group are there, as XINFO CONSUMERS tells of them. One that was killed stays in its group, and
 * what nobody works on is parked under a name of its own.
 */
export function liveConsumers(consumers: readonly (readonly unknown[])[]): number {
  return consumers.filter((one) => fieldOf(one, 'name') !== PARKED && numberOf(one, 'idle') < DEAD_AFTER_MS)
    .length;
}

/** Anybody can write into Redis: what is no count is left out. */
function countsOf(hash: Record<string, string>): Record<string, number> {
  const entries = Object.entries(hash).map(([name, value]) => [name, Number(value)] as const);
  return Object.fromEntries(
    entries.filter(([name, count]) => OUTCOME.test(name) && Number.isFinite(count)).slice(0, MOST_OUTCOMES),
  );
}

function fieldOf(pairs: readonly unknown[], name: string): unknown {
  return pairs[pairs.indexOf(name) + 1];
}

function numberOf(pairs: readonly unknown[], name: string): number {
  return Number(fieldOf(pairs, name));
}
