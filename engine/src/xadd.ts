import { type ContentType, MESSAGE_FIELDS } from '@sluice/contract';
import type { AppendBuffer } from './append-buffer.js';

/** Writes the XADD command of one task into a buffer. */
export type XaddEncoder = (
  into: AppendBuffer,
  taskId: string,
  timestamp: string,
  contentType: ContentType,
  payload: Buffer,
  traceContext: string,
) => void;

const UUID_LENGTH = 36;
const ISO_TIMESTAMP_LENGTH = 24;

/**
 * An encoder for the tasks of one type. All that is the same in each of its commands is put together here,
 * once: per task only ids, time and payload are left to write.
 *
 * @param dropOldestAt with a number, Redis deletes the oldest entries beyond it, read or not
 * @see https://redis.io/docs/latest/commands/xadd/
 */
export function xaddEncoder(stream: string, type: string, dropOldestAt?: number): XaddEncoder {
  const trimming = dropOldestAt === undefined ? [] : ['MAXLEN', '~', String(dropOldestAt)];
  const words = ['XADD', stream, ...trimming, '*'];
  const [taskIdName, timestampName, typeName, contentTypeName, payloadName, traceContextName] =
    MESSAGE_FIELDS;
  const head =
    `*${words.length + 2 * MESSAGE_FIELDS.length}\r\n` +
    words.map(bulk).join('') +
    bulk(taskIdName) +
    `$${UUID_LENGTH}\r\n`;
  const beforeTimestamp = `\r\n${bulk(timestampName)}$${ISO_TIMESTAMP_LENGTH}\r\n`;
  const beforeLength = (contentType: ContentType): string =>
    `\r\n${bulk(typeName)}${bulk(type)}${bulk(contentTypeName)}${bulk(contentType)}${bulk(payloadName)}$`;
  const json = beforeLength('application/json');
  const msgpack = beforeLength('application/msgpack');
  const afterPayload = `\r\n${bulk(traceContextName)}$`;
  return (into, taskId, timestamp, contentType, payload, traceContext) => {
    const middle = contentType === 'application/json' ? json : msgpack;
    into.text(`${head}${taskId}${beforeTimestamp}${timestamp}${middle}${payload.length}\r\n`);
    into.bytes(payload);
    into.text(`${afterPayload}${traceContext.length}\r\n${traceContext}\r\n`);
  };
}

/** A bulk string, as latin1 text whose bytes are the UTF-8 of the word. */
export function bulk(word: string): string {
  const bytes = Buffer.from(word);
  return `$${bytes.length}\r\n${bytes.toString('latin1')}\r\n`;
}
