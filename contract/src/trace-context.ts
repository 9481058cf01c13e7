import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

/** Whether a header value is a usable traceparent (W3C Trace Context, section 3.2). */
export function isTraceparent(value: string): boolean {
  // Version 00 has no fifth part; later versions may add some, which we keep as they are.
  return TRACEPARENT.test(value) && (value.length === 55 || (value.length > 55 && !value.startsWith('00')));
}

const POOL_BYTES = 24 * 512;
const pool = Buffer.allocUnsafe(POOL_BYTES);
let used = POOL_BYTES;

/** A new sampled traceparent: version 00, random trace and parent id. One system call per 512 of them. */
export function newTraceparent(): string {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const start = used;
  used += 24;
  // An all-zero id is invalid; setting one bit costs less than testing for it and leaves 127 and 63 random bits.
  pool[start + 15] = (pool[start + 15] as number) | 1;
  pool[start + 23] = (pool[start + 23] as number) | 1;
  return `00-${pool.toString('hex', start, start + 16)}-${pool.toString('hex', start + 16, start + 24)}-01`;
}
