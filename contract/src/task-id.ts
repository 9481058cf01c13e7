import { RandomPool, writeHex } from './random-hex.js';

/** Bytes of a task id as text. */
export const TASK_ID_LENGTH = 36;

const ids = new RandomPool(16);

/**
 * Writes a new task id: a random UUID (RFC 9562, version 4). As bytes, because it goes into a command and an answer:
 * a string, even one from `randomUUID`, costs more to make and to take apart again than all of this.
 */
export function writeTaskId(to: Uint8Array, at: number): void {
  const start = ids.take();
  const { bytes } = ids;
  bytes[start + 6] = ((bytes[start + 6] as number) & 0x0f) | 0x40; // version 4
  bytes[start + 8] = ((bytes[start + 8] as number) & 0x3f) | 0x80; // variant of the RFC
  writeHex(bytes, start, 4, to, at);
  to[at + 8] = DASH;
  writeHex(bytes, start + 4, 2, to, at + 9);
  to[at + 13] = DASH;
  writeHex(bytes, start + 6, 2, to, at + 14);
  to[at + 18] = DASH;
  writeHex(bytes, start + 8, 2, to, at + 19);
  to[at + 23] = DASH;
  writeHex(bytes, start + 10, 6, to, at + 24);
}

const DASH = 0x2d;
