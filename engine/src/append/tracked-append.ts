import { queueKeys, TASK_ID_LENGTH, TRACKED_FIELD } from '@sluice/contract';
import { scriptOf } from './script-text.js';
import { fieldsEncoder, type XaddEncoder } from './xadd.js';

const SCRIPT = `#!lua\n${scriptOf('append-tracked.lua')}`;

/**
 * An encoder for the tasks of one type whose status can be asked for: like that of an XADD, the reply being one too.
 *
 * @param keptMs how long the status of a task is kept
 * @param dropOldestAt with a number, Redis deletes the oldest entries beyond it, read or not
 */
export function trackedEncoder(
  streamName: string,
  type: string,
  keptMs: number,
  dropOldestAt?: number,
): XaddEncoder {
  const keys = queueKeys(streamName);
  const stream = keys.stream(type);
  const key = keys.tracked(stream, '0'.repeat(TASK_ID_LENGTH));
  const kept = String(keptMs);
  const before = ['EVAL', SCRIPT, '2', stream, key, String(dropOldestAt ?? 0), kept];
  return fieldsEncoder(type, { before, idWord: before.indexOf(key), after: [TRACKED_FIELD, kept] });
}
