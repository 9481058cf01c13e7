import { MESSAGE_FIELDS, queueKeys } from '@sluice/contract';
import type { Due } from '../intake/due.js';
import type { AppendBuffer } from './append-buffer.js';
import { scriptOf } from './script-text.js';
import { ownTraceparentOf, taskIdOf } from './task-names.js';
import { type Tracking, UNTRACKED } from './tracking.js';
import { bulk, type TaskHead, type XaddEncoder } from './xadd.js';

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
  const count = scriptAndKeys.length + keyCount + 1 + bounds.length + FIELD_WORDS + tail.length;
  const head = `*${count}\r\n${scriptAndKeys.map(bulk).join('')}`;
  const middle = bounds.map(bulk).join('');
  const end = tail.map(bulk).join('');
  return (due) => (into, task, timestamp, payload) => {
    into.text(head + tracking.keyOf(task) + bulk(dueText(due)) + middle);
    writeFields(into, type, task, timestamp, payload);
    if (end !== '') into.text(end);
  };
}

/** How many words of a command {@link writeFields} writes. */
export const FIELD_WORDS = 2 * MESSAGE_FIELDS.length;

/** Writes the fields of a message, name and value by turns, as the last words of a command. */
export function writeFields(
  into: AppendBuffer,
  type: string,
  task: TaskHead,
  timestamp: string,
  payload: Uint8Array,
): void {
  const [taskIdName, timestampName, typeName, contentTypeName, payloadName, traceContextName] =
    MESSAGE_FIELDS;
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
  into.text(`${before.map(bulk).join('')}${bulk(payloadName)}$${payload.length}\r\n`);
  into.bytes(payload);
  into.text(`\r\n${bulk(traceContextName)}${bulk(task.traceContext ?? ownTraceparentOf(task))}`);
}

/** As schedule.lua takes it. */
export function dueText(due: Due): string {
  return 'inMs' in due ? `+${due.inMs}` : String(due.atMs);
}
