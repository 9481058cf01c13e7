import { queueKeys } from '@sluice/contract';
import type { Due } from '../intake/due.js';
import { bulk, fieldWords, writeFields } from './message-fields.js';
import { scriptOf } from './script-text.js';
import { type Tracking, UNTRACKED } from './tracking.js';
import type { XaddEncoder } from './xadd.js';

/** Writes the command that stores one task until it is due. */
export type ScheduleEncoder = (due: Due) => XaddEncoder;

/** How the reply of Redis begins when a schedule is full. */
export const SCHEDULE_FULL = 'SCHEDULEFULL';

/** Stores a task until it is due. */
export const SCHEDULE = scriptOf('schedule.lua');

/** The keys of a schedule, in the order in which the script takes them after the stream. */
export function scheduleKeys(streamName: string, type: string): string[] {
  const keys = queueKeys(streamName);
  const { due, tasks, ledger } = keys.schedule(keys.stream(type));
  return [due, tasks, ledger];
}

/**
 * An encoder for the delayed tasks of one type: like that of an XADD, the reply being one too.
 *
 * @param maxScheduled tasks that its schedule holds at most
 * @param dropOldestAt with a number, Redis deletes the oldest entries beyond it when a task turns out to be due
 * @param tracking whether the status of the tasks can be asked for
 */
export function scheduleEncoder(
  streamName: string,
  type: string,
  maxScheduled: number,
  dropOldestAt?: number,
  tracking: Tracking = UNTRACKED,
): ScheduleEncoder {
  const stream = queueKeys(streamName).stream(type);
  const { keyCount, tail } = tracking;
  const script = `#!lua\n${tracking.script(SCHEDULE)}`;
  const scriptAndKeys = ['EVAL', script, String(4 + keyCount), stream, ...scheduleKeys(streamName, type)];
  const bounds = [String(maxScheduled), String(dropOldestAt ?? 0)];
  const count = scriptAndKeys.length + keyCount + 1 + bounds.length + tail.length;
  const head = `\r\n${scriptAndKeys.map(bulk).join('')}`;
  const middle = bounds.map(bulk).join('');
  const end = tail.map(bulk).join('');
  return (due) => (into, task, timestamp, payload) => {
    into.text(`*${count + fieldWords(task)}${head}${tracking.keyOf(task)}${bulk(dueText(due))}${middle}`);
    writeFields(into, type, task, timestamp, payload);
    if (end !== '') into.text(end);
  };
}

/** As schedule.lua takes it. */
export function dueText(due: Due): string {
  return 'inMs' in due ? `+${due.inMs}` : String(due.atMs);
}
