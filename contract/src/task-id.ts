import { RandomPool, writeHex } from './random-hex.js';

const ID_BYTES = 16;
const ids = new RandomPool(ID_BYTES);
const text = Buffer.from('00000000-0000-4000-8000-000000000000');

/**
 * A new task id: a random UUID (RFC 9562, version 4). `randomUUID` of Node makes the same kind from 20 small strings,
 * which takes three times as long and has to be flattened when it is written.
 */
export function newTaskId(): string {
  const start = ids.take();
  const { bytes } = ids;
  bytes[start + 6] = ((bytes[start + 6] as number) & 0x0f) | 0x40; // version 4
  bytes[start + 8] = ((bytes[start + 8] as number) & 0x3f) | 0x80; // variant of the RFC
  writeHex(bytes, start, 4, text, 0);
  writeHex(bytes, start + 4, 2, text, 9);
  writeHex(bytes, start + 6, 2, text, 14);
  writeHex(bytes, start + 8, 2, text, 19);
  writeHex(bytes, start + 10, 6, text, 24);
  return text.toString('latin1');
}
