import { RandomPool, writeHex } from './random-hex.js';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

/** Whether a header value is a usable traceparent (W3C Trace Context, section 3.2). */
export function isTraceparent(value: string): boolean {
  // Version 00 has no fifth part; later versions may add some, which we keep as they are.
  return TRACEPARENT.test(value) && (value.length === 55 || (value.length > 55 && !value.startsWith('00')));
}

const IDS_BYTES = 24;
const ids = new RandomPool(IDS_BYTES);
const text = Buffer.from(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`);

/** A new sampled traceparent: version 00, random trace and parent id. */
export function newTraceparent(): string {
  const start = ids.take();
  const { bytes } = ids;
  // An all-zero id is invalid; setting one bit costs less than testing for it and leaves 127 and 63 random bits.
  bytes[start + 15] = (bytes[start + 15] as number) | 1;
  bytes[start + 23] = (bytes[start + 23] as number) | 1;
  writeHex(bytes, start, 16, text, 3);
  writeHex(bytes, start + 16, 8, text, 36);
  // One flat string: put together from parts, it would have to be flattened wherever it is written.
  return text.toString('latin1');
}
