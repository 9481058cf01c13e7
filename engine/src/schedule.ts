import { readFileSync } from 'node:fs';
import { MESSAGE_FIELDS, queueKeys } from '@sluice/contract';
import type { Due } from './due.js';
import { ownTraceparentOf, taskIdOf } from './task-names.js';
import { bulk, type XaddEncoder } from './xadd.js';

/** Writes the command that stores one task until it is due. */
export type ScheduleEncoder = (due: Due) => XaddEncoder;

/** How the reply of Redis begins when a schedule is full. */
export const SCHEDULE_FULL = 'SCHEDULEFULL';

// From dist/ as from src/: the .lua files are published beside the compiled code, never copied. Sent with every task
// rather than by its hash, because a reply that Redis does not know the hash would have to be waited for.
const SCHEDULE = `#!lua\n${readFileSync(new URL('../src/scripts/schedule.lua', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => !/^ *(--|$)/.test(line))
  .join('\n')}\n`;

/**
 * An encoder for the delayed tasks of one type: like that of an XADD, the reply being one too.
 *
 * @param maxScheduled tasks that its schedule holds at most
 * @param dropOldestAt with a number, Redis deletes the oldest entries beyond it when a task turns out to be due
 */
export function scheduleEncoder(
  streamName: string,
  type: string,
  maxScheduled: number,
  dropOldestAt?: number,
): ScheduleEncoder {
  const keys = queueKeys(streamName);
  const stream = keys.stream(type);
  const { due: dueTimes, tasks, ledger } = keys.schedule(stream);
  const scriptAndKeys = ['EVAL', SCHEDULE, '4', stream, dueTimes, tasks, ledger];
  const bounds = [String(maxScheduled), String(dropOldestAt ?? 0)];
  const count = scriptAndKeys.length + 1 + bounds.length + 2 * MESSAGE_FIELDS.length;
  const head = `*${count}\r\n${scriptAndKeys.map(bulk).join('')}`;
  const middle = bounds.map(bulk).join('');
  const [taskIdName, timestampName, typeName, contentTypeName, payloadName, traceContextName] =
    MESSAGE_FIELDS;
  return (due) => (into, task, timestamp, payload) => {
    const before = [
      taskIdName,
      taskIdOf(task),
      timestampName,
      timestamp,
      typeName,
      type,
      contentTypeName,
      task.contentType,
    ];
    into.text(head + bulk(dueText(due)) + middle + before.map(bulk).join(''));
    into.text(`${bulk(payloadName)}$${payload.length}\r\n`);
    into.bytes(payload);
    into.text(`\r\n${bulk(traceContextName)}${bulk(task.traceContext ?? ownTraceparentOf(task))}`);
  };
}

/** As schedule.lua takes it. */
function dueText(due: Due): string {
  return 'inMs' in due ? `+${due.inMs}` : String(due.atMs);
}
