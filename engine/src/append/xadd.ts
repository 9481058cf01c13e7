import { type ContentType, MESSAGE_FIELDS, TASK_ID_LENGTH, TRACEPARENT_LENGTH } from '@sluice/contract';
import type { AppendBuffer } from './append-buffer.js';
import { bulk, fieldWords, writeFields } from './message-fields.js';
import type { TaskHead } from './task-head.js';
import { taskIdOf } from './task-names.js';
import { WordCopier } from './word-copier.js';

/** Writes the XADD command of one task into a buffer. */
export type XaddEncoder = (
  into: AppendBuffer,
  task: TaskHead,
  timestamp: string,
  payload: Uint8Array,
) => void;

const ISO_TIMESTAMP_LENGTH = 24;
const CRLF = 0x0a0d;
const NAMES = new WordCopier();

/** A command that ends in the fields of a message, and in what comes after them. */
export interface FieldsCommand {
  /** Words before the fields. */
  readonly before: readonly string[];
  /** Which of those ends in the task id; it has as many characters of any kind there. @default none */
  readonly idWord?: number;
  /** Words after the fields. */
  readonly after: readonly string[];
}

/** All of a command that comes before its payload: the same bytes for each task but for three places, or four. */
interface Head {
  readonly bytes: Buffer;
  /** Where the task id stands before the fields, too; 0 for nowhere. */
  readonly keyIdAt: number;
  readonly taskIdAt: number;
  readonly timestampAt: number;
  /** The time that stands in `bytes` now. */
  timestamp: string;
}

/**
 * An encoder for the tasks of one type. All that is the same in each of its commands is put together here,
 * once: per task only ids, payload and its length are left to write.
 *
 * @param dropOldestAt with a number, Redis deletes the oldest entries beyond it, read or not
 * @see https://redis.io/docs/latest/commands/xadd/
 */
export function xaddEncoder(stream: string, type: string, dropOldestAt?: number): XaddEncoder {
  const trimming = dropOldestAt === undefined ? [] : ['MAXLEN', '~', String(dropOldestAt)];
  return fieldsEncoder(type, { before: ['XADD', stream, ...trimming, '*'], after: [] });
}

/** An encoder for any command that ends in the fields of a message. */
export function fieldsEncoder(type: string, command: FieldsCommand): XaddEncoder {
  const json = headOf(type, 'application/json', command);
  const msgpack = headOf(type, 'application/msgpack', command);
  const { keyIdAt } = json; // the same in both: it is before they differ
  const afterPayload = `\r\n${bulk(MESSAGE_FIELDS[5])}$`;
  const end = command.after.map(bulk).join('');
  const beforeTrace = `${afterPayload}${TRACEPARENT_LENGTH}\r\n`;
  const tail = Buffer.from(`${beforeTrace}${'0'.repeat(TRACEPARENT_LENGTH)}\r\n${end}`, 'latin1');
  const traceAt = beforeTrace.length;
  const encodeAny = anyFieldsEncoder(type, command);
  return (into, task, timestamp, payload) => {
    const { names, nameAt, traceContext } = task;
    if (task.traceState !== undefined) {
      encodeAny(into, task, timestamp, payload);
      return;
    }
    const head = task.contentType === 'application/json' ? json : msgpack;
    if (head.timestamp !== timestamp) {
      head.timestamp = timestamp;
      head.bytes.write(timestamp, head.timestampAt, 'latin1');
    }
    const digits = digitsOf(payload.length);
    const headLength = head.bytes.length;
    const start = into.claim(headLength + digits + 2);
    const { block } = into;
    block.set(head.bytes, start);
    NAMES.copy(names, nameAt, TASK_ID_LENGTH, block, start + head.taskIdAt);
    if (keyIdAt !== 0) NAMES.copy(names, nameAt, TASK_ID_LENGTH, block, start + keyIdAt);
    writeNumber(payload.length, digits, block, start + headLength);
    into.bytes(payload);
    if (traceContext !== undefined) {
      into.text(`${afterPayload}${traceContext.length}\r\n${traceContext}\r\n${end}`);
      return;
    }
    const tailAt = into.claim(tail.length);
    into.block.set(tail, tailAt);
    NAMES.copy(names, nameAt + TASK_ID_LENGTH, TRACEPARENT_LENGTH, into.block, tailAt + traceAt);
  };
}

/** The same for tasks with whatever fields, word by word. */
function anyFieldsEncoder(type: string, { before, idWord, after }: FieldsCommand): XaddEncoder {
  const end = after.map(bulk).join('');
  return (into, task, timestamp, payload) => {
    const count = before.length + fieldWords(task) + after.length;
    const words = before.map((word, i) =>
      i === idWord ? word.slice(0, -TASK_ID_LENGTH) + taskIdOf(task) : word,
    );
    into.text(`*${count}\r\n${words.map(bulk).join('')}`);
    writeFields(into, type, task, timestamp, payload);
    if (end !== '') into.text(end);
  };
}

function headOf(type: string, contentType: ContentType, { before, idWord, after }: FieldsCommand): Head {
  const count = `*${before.length + 2 * MESSAGE_FIELDS.length + after.length}\r\n`;
  const toId =
    idWord === undefined
      ? ''
      : count +
        before
          .slice(0, idWord + 1)
          .map(bulk)
          .join('');
  const [taskIdName, timestampName, typeName, contentTypeName, payloadName] = MESSAGE_FIELDS;
  const beforeTaskId = `${count}${before.map(bulk).join('')}${bulk(taskIdName)}$${TASK_ID_LENGTH}\r\n`;
  const beforeTimestamp = `${beforeTaskId}${'0'.repeat(TASK_ID_LENGTH)}\r\n${bulk(timestampName)}$${ISO_TIMESTAMP_LENGTH}\r\n`;
  const timestamp = '0'.repeat(ISO_TIMESTAMP_LENGTH);
  const rest = `\r\n${bulk(typeName)}${bulk(type)}${bulk(contentTypeName)}${bulk(contentType)}${bulk(payloadName)}$`;
  return {
    bytes: Buffer.from(beforeTimestamp + timestamp + rest, 'latin1'),
    keyIdAt: idWord === undefined ? 0 : toId.length - TASK_ID_LENGTH - 2,
    taskIdAt: beforeTaskId.length,
    timestampAt: beforeTimestamp.length,
    timestamp,
  };
}

/** How many decimal digits a length has. */
function digitsOf(length: number): number {
  let digits = 1;
  for (let rest = length; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  return digits;
}

/** Writes a number and the end of its line. */
function writeNumber(value: number, digits: number, to: Buffer, at: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    to[i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  to[at + digits] = CRLF & 0xff;
  to[at + digits + 1] = CRLF >> 8;
}
