import { isAscii, isUtf8 } from 'node:buffer';
import { type ContentType, SluiceError } from '@sluice/contract';
import { isDeeperThan } from './json-depth.js';
import { describeJsonFault, findJsonFault } from './json-fault.js';
import { skipWhitespace } from './json-scan.js';
import { jsonValueEnd } from './json-value-end.js';
import { decodeMsgpack } from './msgpack.js';
import { refuseUnsafeTree, sanitiseJson, tooDeep } from './sanitise.js';

/** Levels of arrays and objects within one another that a body may have. */
export const DEFAULT_MAX_DEPTH = 128;

/** A body after decoding. */
export interface DecodedBody {
  /** For validation. Binary data and timestamps of msgpack are the symbol `OPAQUE` here. */
  readonly value: unknown;
  /** What goes into the stream: the very bytes that came in, unless something had to be removed from a string. */
  readonly payload: Buffer;
}

/**
 * Decodes a request body and makes it harmless: from every string, keys included, NUL, C0 control characters
 * but tab, CR and LF, and lone surrogates are removed.
 *
 * The value holds no memory of `bytes`, so these may be reused once the payload is written. No message of an
 * error quotes the body; the path of a forbidden key is all that is told of it.
 *
 * @param maxDepth levels of arrays and objects allowed within one another, the body itself being the first
 * @throws SluiceError `INVALID_UTF8`, `INVALID_JSON`, `INVALID_MSGPACK`, `PAYLOAD_TOO_DEEP`, or `FORBIDDEN_KEY`
 * when an object has a key `__proto__`, `constructor` or `prototype`, however it was escaped
 */
export function decodeBody(
  bytes: Buffer,
  contentType: ContentType,
  maxDepth = DEFAULT_MAX_DEPTH,
): DecodedBody {
  return contentType === 'application/json' ? decodeJson(bytes, maxDepth) : decodeMsgpack(bytes, maxDepth);
}

/**
 * From so many bytes on, depth is looked at before parsing: JSON.parse makes every level of a body that is refused for
 * them, and of 1 MiB of brackets half a second of work. Below, that is 10 ms at most, and looking costs more than it saves.
 */
const DEPTH_FIRST_BYTES = 32 * 1024;

function decodeJson(bytes: Buffer, maxDepth: number): DecodedBody {
  if (bytes.length >= DEPTH_FIRST_BYTES && isDeeperThan(maxDepth, bytes)) throw deepFault(bytes, maxDepth);
  const text = utf8Text(bytes);
  const value = parseJson(text);
  const clean = sanitiseJson(text);
  if (clean === text) {
    refuseUnsafeTree(value, maxDepth);
    return { value, payload: bytes };
  }
  const cleanValue = parseJson(clean);
  refuseUnsafeTree(cleanValue, maxDepth);
  return { value: cleanValue, payload: Buffer.from(clean) };
}

/** What is wrong with a body that is too deep, or would be if it were JSON. */
function deepFault(bytes: Buffer, maxDepth: number): SluiceError {
  if (!isUtf8(bytes)) return invalidUtf8(bytes, bytes.toString());
  const end = jsonValueEnd(bytes, skipWhitespace(bytes, 0));
  const brokenAt = end < 0 ? ~end : skipWhitespace(bytes, end);
  if (end >= 0 && brokenAt === bytes.length) return tooDeep(maxDepth);
  const where = brokenAt < bytes.length ? `it stops being so at byte ${brokenAt}` : 'it ends too early';
  return new SluiceError('INVALID_JSON', `the body is not valid JSON: ${where}`);
}

/**
 * `Buffer.toString()` would turn invalid UTF-8 into valid JSON. Looking for pure ASCII first makes a body of
 * 30 KB 1.1 µs cheaper (1.8 instead of 2.9) and one of 200 bytes 0.01; a fatal TextDecoder costs as much as the
 * latter. The order matters little beside JSON.parse (34 and 0.8 µs).
 */
function utf8Text(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  const text = bytes.toString();
  if (!isUtf8(bytes)) throw invalidUtf8(bytes, text);
  return text;
}

/** Names the first bad byte: encoded again, the replacement characters of `text` differ from it. */
function invalidUtf8(bytes: Buffer, text: string): SluiceError {
  const again = Buffer.from(text);
  let at = 0;
  while (at < bytes.length && bytes[at] === again[at]) at++;
  return new SluiceError('INVALID_UTF8', `the body is not valid UTF-8: it stops being so at byte ${at}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const fault = findJsonFault(text) ?? { position: 0, expected: 'JSON' };
    throw new SluiceError('INVALID_JSON', `the body is not valid JSON: ${describeJsonFault(text, fault)}`);
  }
}
