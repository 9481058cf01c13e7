import type { Redis } from 'ioredis';
import { findQueue } from '../queue-search.js';
import { balance } from './balance.js';
import type { AuditReport } from './report.js';
import { takeSnapshot } from './snapshot.js';

export interface AuditOptions {
  redis: Redis;
  /** @default 'tasks:stream' */
  streamName?: string;
  /** @default 'processors' */
  group?: string;
  /** Task types to look at. Without them all streams of the queue are looked for, with SCAN. */
  types?: readonly string[];
  /** The engine runs with `STREAM_OVERFLOW=drop-oldest`: what is missing counts as dropped, not as lost. */
  dropOldest?: boolean;
}

/** A stream that appears between looking for it and the snapshot is looked for again this often. */
const MOST_TRIES = 5;

/**
 * Proves that every task a group was given is done, pending, scheduled, dead or dropped, from one atomic snapshot of
 * all its streams. Changes nothing, and may run at any time beside engine and consumers.
 *
 * @throws ReplyError of ioredis when Redis refuses, `WRONGTYPE` for instance
 */
export async function audit({
  redis,
  streamName = 'tasks:stream',
  group = 'processors',
  types,
  dropOldest = false,
}: AuditOptions): Promise<AuditReport> {
  const options = { streamName, group, dropOldest };
  if (types !== undefined) {
    return balance(await takeSnapshot(redis, streamName, group, types, undefined), options);
  }
  let found = await findQueue(redis, streamName);
  for (let tries = 1; ; tries++) {
    const snapshot = await takeSnapshot(redis, streamName, group, found.types, found.ledgers);
    const report = balance(snapshot, options);
    if (report.ok || tries === MOST_TRIES) return report;
    // The dead letters of a stream that came up meanwhile would look as if they were too many.
    const foundAgain = await findQueue(redis, streamName);
    if (
      foundAgain.ledgers.length === found.ledgers.length &&
      foundAgain.types.length === found.types.length
    ) {
      return report;
    }
    found = foundAgain;
  }
}
