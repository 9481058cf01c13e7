import { queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { Script } from '../script.js';
import type { AuditReport } from './report.js';

const writeOffScript = new Script('write-off');

/**
 * Accepts what an audit has found lost: from now on it counts as dropped. What is pending and gone from the stream is
 * not among it, as consumers are about to count that themselves.
 *
 * @returns how many tasks were written off
 */
export async function writeOff(
  redis: Redis,
  { streamName, group, streams, findings }: AuditReport,
): Promise<number> {
  const keys = queueKeys(streamName);
  const countOf = (code: string, key: string) =>
    findings.find((one) => one.code === code && one.key === key)?.count ?? 0;
  let lettersLeft = countOf('dead-letters-missing', keys.deadLetters);
  let total = 0;
  for (const { stream, dead } of streams) {
    total += await writeOffDelayed(redis, keys.schedule(stream).ledger, countOf);
    const ledger = keys.ledger(stream, group);
    const lost = countOf('counted-lost', ledger);
    const missing = countOf('missing', stream) + countOf('stranded', stream);
    const letters = Math.min(lettersLeft, Math.max(0, dead));
    const wasDeleted = countOf('stream-deleted', stream) > 0;
    if (lost + missing + letters === 0 && !wasDeleted) continue;
    await writeOffScript.run(redis, [ledger], [lost, missing, letters]);
    lettersLeft -= letters;
    total += lost + missing + letters;
  }
  return total;
}

/** Delayed tasks that have lost their message count as lost once they are due. */
async function writeOffDelayed(
  redis: Redis,
  ledger: string,
  countOf: (code: string, key: string) => number,
): Promise<number> {
  const lost = countOf('delayed-lost', ledger);
  const missing = countOf('delayed-missing', ledger);
  if (lost + missing > 0) await writeOffScript.run(redis, [ledger], [lost, missing, 0]);
  return lost + missing;
}
