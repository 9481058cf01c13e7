import { SCALARS } from './json-scan.js';

const OBJECT = 0;
const ARRAY = 1;
const NOWHERE = -1;
/** The arrays and objects around the byte that is looked at, outermost first. */
let open = new Uint8Array(1024);
/** Levels for which memory is kept: nothing says how deep a value may be. */
const KEPT_LEVELS = open.length;

/**
 * Where the JSON value ends that starts at an offset, whatever it holds and however deep it is; or the complement (`~`)
 * of the offset at which it stops being JSON. Bytes from 0x80 on are taken for UTF-8, which somebody else has to check.
 */
export function jsonValueEnd(bytes: Uint8Array, start: number): number {
  const end = afterValue(bytes, start);
  if (open.length > KEPT_LEVELS) open = new Uint8Array(KEPT_LEVELS);
  return end;
}

/** Here and below, the complement of an offset says where it is broken. A loop like that of `isPlainEnvelope`. */
function afterValue(bytes: Uint8Array, start: number): number {
  let at = start;
  let depth = 0;
  for (;;) {
    const first = bytes[at];
    if (first === LEFT_BRACE || first === LEFT_BRACKET) {
      at = afterSpace(bytes, at + 1);
      if (bytes[at] === first + CLOSING) at++;
      else {
        if (depth === open.length) open = grown(open);
        open[depth++] = first === LEFT_BRACE ? OBJECT : ARRAY;
        if (first === LEFT_BRACE) at = valueOfMember(bytes, at);
        if (at < 0) return at;
        continue;
      }
    } else at = afterScalar(bytes, at);

    for (;;) {
      if (at < 0 || depth === 0) return at;
      if ((bytes[at] as number) <= SPACE) at = afterSpace(bytes, at);
      const next = bytes[at];
      if (next === COMMA) break;
      depth--;
      if (next !== (open[depth] === OBJECT ? RIGHT_BRACE : RIGHT_BRACKET)) return ~at;
      at++;
    }
    at = afterSpace(bytes, at + 1);
    if (open[depth - 1] === OBJECT) at = valueOfMember(bytes, at);
    if (at < 0) return at;
  }
}

function grown(levels: Uint8Array): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(2 * levels.length);
  more.set(levels);
  return more;
}

/** Where the value of the member starts whose key is at an offset. */
function valueOfMember(bytes: Uint8Array, keyAt: number): number {
  if (bytes[keyAt] !== QUOTE) return ~keyAt;
  const keyEnd = afterString(bytes, keyAt);
  if (keyEnd < 0) return keyEnd;
  const colon = afterSpace(bytes, keyEnd);
  return bytes[colon] === COLON ? afterSpace(bytes, colon + 1) : ~colon;
}

function afterScalar(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return afterString(bytes, start);
  const end =
    first === MINUS || isDigit(first)
      ? SCALARS.afterNumber(bytes, start)
      : SCALARS.afterLiteral(bytes, start);
  return end === NOWHERE ? ~start : end;
}

function afterString(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  for (let at = start + 1; at < length; at++) {
    const byte = bytes[at] as number; // at < length
    if (IS_ORDINARY[byte] === 1) continue;
    if (byte === QUOTE) return at + 1;
    const escaped = byte === BACKSLASH ? escapeLength(bytes, at + 1) : 0;
    if (escaped === 0) return ~at;
    at += escaped;
  }
  return ~length;
}

/** How many bytes follow a backslash; 0 for no escape sequence of JSON. */
function escapeLength(bytes: Uint8Array, at: number): number {
  const letter = bytes[at];
  if (letter === undefined || !ESCAPES.includes(letter)) return 0;
  if (letter !== LETTER_U) return 1;
  for (let i = at + 1; i <= at + 4; i++) if (!isHexDigit(bytes[i])) return 0;
  return 5;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}

function afterSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (IS_SPACE[bytes[at] as number] === 1) at++; // behind the end is none
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LEFT_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const RIGHT_BRACKET = 0x5d;
const LETTER_U = 0x75;
const LEFT_BRACE = 0x7b;
const RIGHT_BRACE = 0x7d;
/** From an opening bracket or brace to the closing one. */
const CLOSING = 2;
/** 1 for each byte that may stand in a string as it is. */
const IS_ORDINARY = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
const IS_SPACE = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09 ? 1 : 0,
);
const ESCAPES = Buffer.from('"\\/bfnrtu');
