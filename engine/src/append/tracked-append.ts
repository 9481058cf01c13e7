import { queueKeys, TASK_ID_LENGTH } from '@sluice/contract';
import { scriptOf } from './script-text.js';
import type { Tracking } from './tracking.js';
import { fieldsEncoder, type XaddEncoder } from './xadd.js';

const APPEND = scriptOf('append.lua');

/**
 * An encoder for the tasks of one type whose status can be asked for: like that of an XADD, the reply being one too.
 *
 * @param dropOldestAt with a number, Redis deletes the oldest entries beyond it, read or not
 */
export function trackedEncoder(
  streamName: string,
  type: string,
  tracking: Tracking,
  dropOldestAt?: number,
): XaddEncoder {
  const keys = queueKeys(streamName);
  const stream = keys.stream(type);
  const key = keys.tracked(stream, '0'.repeat(TASK_ID_LENGTH));
  const script = `#!lua\n${tracking.script(APPEND)}`;
  const before = ['EVAL', script, '2', stream, key, String(dropOldestAt ?? 0)];
  return fieldsEncoder(type, { before, idWord: before.indexOf(key), after: tracking.tail });
}
