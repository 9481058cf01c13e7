import { queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { Script } from '../script.js';
import { isRedrivable } from './letter.js';
import type { LetterRef } from './redrive-options.js';

/** Ids per script call: Lua can pass some 8,000 values at once. */
const CHUNK = 1000;

const purgeScript = new Script('purge');

/**
 * Deletes dead letters for good, and counts them, so that the audit knows them as dropped.
 *
 * @returns how many were there to delete
 */
export async function purge(
  redis: Redis,
  letters: readonly LetterRef[],
  streamName = 'tasks:stream',
): Promise<number> {
  const keys = queueKeys(streamName);
  let purged = 0;
  for (const [ledger, ids] of byLedger(letters, streamName)) {
    for (let i = 0; i < ids.length; i += CHUNK) {
      const some = ids.slice(i, i + CHUNK);
      purged += Number(
        // What consumers did not write was never counted as dead.
        ledger === NO_LEDGER
          ? await redis.xdel(keys.deadLetters, ...some)
          : await purgeScript.run(redis, [keys.deadLetters, ledger], some),
      );
    }
  }
  return purged;
}

const NO_LEDGER = '';

function byLedger(letters: readonly LetterRef[], streamName: string): Map<string, string[]> {
  const keys = queueKeys(streamName);
  const groups = new Map<string, string[]>();
  for (const letter of letters) {
    const ledger = isRedrivable(letter, streamName)
      ? keys.ledger(letter.sourceStream, letter.group)
      : NO_LEDGER;
    const ids = groups.get(ledger);
    if (ids === undefined) groups.set(ledger, [letter.id]);
    else ids.push(letter.id);
  }
  return groups;
}
