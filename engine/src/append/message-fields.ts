import { MESSAGE_FIELDS, TRACE_STATE_FIELD } from '@sluice/contract';
import type { AppendBuffer } from './append-buffer.js';
import type { TaskHead } from './task-head.js';
import { ownTraceparentOf, taskIdOf } from './task-names.js';

/** How many words of a command {@link writeFields} writes. */
export function fieldWords({ traceState }: TaskHead): number {
  return 2 * (traceState === undefined ? MESSAGE_FIELDS.length : MESSAGE_FIELDS.length + 1);
}

/** Writes the fields of a message, name and value by turns, as words of a command. */
export function writeFields(
  into: AppendBuffer,
  type: string,
  task: TaskHead,
  timestamp: string,
  payload: Uint8Array,
): void {
  const { contentType, traceContext, traceState } = task;
  const [taskIdName, timestampName, typeName, contentTypeName, payloadName, traceContextName] =
    MESSAGE_FIELDS;
  const ids = [taskIdName, taskIdOf(task), timestampName, timestamp];
  const before = [...ids, typeName, type, contentTypeName, contentType];
  into.text(`${before.map(bulk).join('')}${bulk(payloadName)}$${payload.length}\r\n`);
  into.bytes(payload);
  const state = traceState === undefined ? [] : [TRACE_STATE_FIELD, traceState];
  const after = [traceContextName, traceContext ?? ownTraceparentOf(task), ...state];
  into.text(`\r\n${after.map(bulk).join('')}`);
}

/** A bulk string, as latin1 text whose bytes are the UTF-8 of the word. */
export function bulk(word: string): string {
  const bytes = Buffer.from(word);
  return `$${bytes.length}\r\n${bytes.toString('latin1')}\r\n`;
}
