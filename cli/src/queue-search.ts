import { DEFAULT_TASK_TYPE, queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';

/** What of a queue was found in Redis. */
export interface FoundQueue {
  /** Task types that have a stream, or have or had delayed tasks, `default` first, then by name. */
  readonly types: readonly string[];
  /** The ledger of each group on each stream, also of groups and streams that are gone. */
  readonly ledgers: readonly string[];
  /** Streams below a type's name, which no queue of this name can have made: another queue's. */
  readonly foreignStreams: readonly string[];
  /** Keys that should be streams by their name, and are not, with what they are. */
  readonly wrongTypes: readonly { key: string; is: string }[];
}

/** Most keys that one SCAN looks at. */
const SCAN_COUNT = 1000;

/**
 * Looks for all streams and ledgers of a queue. Task types are not listed anywhere: whoever appends to
 * `<stream>:<type>` makes one.
 */
export async function findQueue(redis: Redis, streamName: string): Promise<FoundQueue> {
  const keys = await keysBelow(redis, streamName);
  const { deadLetters } = queueKeys(streamName);
  const perhapsStreams = keys.filter((key) => key !== deadLetters && !isSideKey(streamName, key));
  const kinds = await typesOf(redis, perhapsStreams);
  const types: string[] = [];
  const foreignStreams: string[] = [];
  const wrongTypes: { key: string; is: string }[] = [];
  for (const [i, key] of perhapsStreams.entries()) {
    const is = kinds[i];
    const type = typeOfStream(streamName, key);
    if (is === 'none') continue; // gone meanwhile
    if (type === undefined) {
      if (is === 'stream') foreignStreams.push(key);
    } else if (is === 'stream') types.push(type);
    else wrongTypes.push({ key, is: String(is) });
  }
  for (const type of new Set(delayedTypes(streamName, keys))) if (!types.includes(type)) types.push(type);
  types.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return { types, ledgers: keys.filter((key) => isLedger(streamName, key)), foreignStreams, wrongTypes };
}

/** All keys that start with the name of the queue, followed by a colon or nothing. */
async function keysBelow(redis: Redis, streamName: string): Promise<string[]> {
  const pattern = `${streamName.replace(/[\\*?[\]]/g, '\\$&')}*`;
  const found = new Set<string>(); // SCAN may name a key twice
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
    for (const key of page) if (key === streamName || key.startsWith(`${streamName}:`)) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found].sort();
}

async function typesOf(redis: Redis, keys: readonly string[]): Promise<string[]> {
  return Promise.all(keys.map((key) => redis.type(key)));
}

/** Task types have no colon in their name. */
function typeOfStream(streamName: string, key: string): string | undefined {
  if (key === streamName) return DEFAULT_TASK_TYPE;
  const type = key.slice(streamName.length + 1);
  return type.includes(':') ? undefined : type;
}

/** Types with delayed tasks, whose stream may not exist yet. */
function delayedTypes(streamName: string, keys: readonly string[]): string[] {
  return keys.flatMap((key) => {
    const found = /^(?::([^:]+))?:scheduled:(?:due|tasks|ledger)$/.exec(key.slice(streamName.length));
    return found === null ? [] : [found[1] ?? DEFAULT_TASK_TYPE];
  });
}

const SIDE_KEY = /^(?::[^:]+)?:(ledger|retries|attempts|scheduled|cron|breaker|failures|rate):/;

function isSideKey(streamName: string, key: string): boolean {
  return SIDE_KEY.test(key.slice(streamName.length));
}

function isLedger(streamName: string, key: string): boolean {
  return SIDE_KEY.exec(key.slice(streamName.length))?.[1] === 'ledger';
}

function rank(type: string): number {
  return type === DEFAULT_TASK_TYPE ? 0 : 1;
}
