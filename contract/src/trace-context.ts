import { RandomPool, writeHex } from './random-hex.js';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

/** Whether a header value is a usable traceparent (W3C Trace Context, section 3.2). */
export function isTraceparent(value: string): boolean {
  // Version 00 has no fifth part; later versions may add some, which we keep as they are.
  return TRACEPARENT.test(value) && (value.length === 55 || (value.length > 55 && !value.startsWith('00')));
}

/** Bytes of a traceparent of version 00. */
export const TRACEPARENT_LENGTH = 55;

const ids = new RandomPool(24);

/** Writes a new sampled traceparent: version 00, random trace and parent id. */
export function writeTraceparent(to: Uint8Array, at: number): void {
  const start = ids.take();
  const { bytes } = ids;
  // An all-zero id is invalid; setting one bit costs less than testing for it and leaves 127 and 63 random bits.
  bytes[start + 15] = (bytes[start + 15] as number) | 1;
  bytes[start + 23] = (bytes[start + 23] as number) | 1;
  to[at] = ZERO;
  to[at + 1] = ZERO;
  to[at + 2] = DASH;
  writeHex(bytes, start, 16, to, at + 3);
  to[at + 35] = DASH;
  writeHex(bytes, start + 16, 8, to, at + 36);
  to[at + 52] = DASH;
  to[at + 53] = ZERO;
  to[at + 54] = ONE;
}

const DASH = 0x2d;
const ZERO = 0x30;
const ONE = 0x31;

/** A new sampled traceparent, as text. */
export function newTraceparent(): string {
  const text = Buffer.allocUnsafe(TRACEPARENT_LENGTH);
  writeTraceparent(text, 0);
  return text.toString('latin1');
}

const MOST_STATE_BYTES = 512;
const MOST_MEMBERS = 32;
/** Key, equals sign, value: printable ASCII without comma or equals sign, and no space at its end. */
const MEMBER = /^([a-z0-9][a-z0-9_*/@-]{0,255})=[ -+--<>-~]{0,255}[!-+--<>-~]$/;
const OUTER_BLANKS = /^[ \t]+|[ \t]+$/g;

/**
 * What is passed on of `tracestate` headers, joined by commas: all of it, but for blanks and empty members; nothing when it
 * has more than 512 bytes or 32 members, one that is malformed, or a key twice (W3C Trace Context, section 3.3).
 */
export function traceStateOf(value: string): string | undefined {
  if (value.length > MOST_STATE_BYTES) return undefined;
  const members = value
    .split(',')
    .map((member) => member.replace(OUTER_BLANKS, ''))
    .filter((member) => member !== '');
  const keys = new Set(members.map((member) => MEMBER.exec(member)?.[1]));
  const isWellFormed = members.length <= MOST_MEMBERS && keys.size === members.length && !keys.has(undefined);
  return members.length > 0 && isWellFormed ? members.join(',') : undefined;
}
