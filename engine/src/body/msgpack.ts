import { createRequire } from 'node:module';
import { SluiceError } from '@sluice/contract';
import type { Unpackr } from 'msgpackr';
import { type MsgpackScan, scanMsgpack, type UncleanString } from './msgpack-scan.js';
import { isUnwanted } from './sanitise.js';

/**
 * What stands in the decoded value where a msgpack body has binary data or a timestamp. TypeBox takes any
 * Buffer or Date for an object, and lists a key per byte where an object is closed (0.3 s for 1 MiB); a symbol
 * passes only where a schema allows any value at all.
 */
export const OPAQUE = Symbol('binary data or a timestamp');

/**
 * Decodes a msgpack body as `decodeBody` promises.
 *
 * Integers of 64 bits are numbers in the value where a number holds them exactly, else bigints. Duplicate keys:
 * the last one counts. Where strings had to be cleaned, only these and their headers change in the payload.
 *
 * @throws SluiceError `INVALID_MSGPACK`, `INVALID_UTF8`, `PAYLOAD_TOO_DEEP` or `FORBIDDEN_KEY`
 */
export function decodeMsgpack(bytes: Buffer, maxDepth: number): { value: unknown; payload: Buffer } {
  const scan = scanMsgpack(bytes, maxDepth);
  const payload = scan.unclean.length === 0 ? bytes : withCleanStrings(bytes, scan.unclean);
  const value = unpack(payload, scan);
  return { value, payload };
}

/** Loaded with the first body that needs it, which few clients send: 40 ms of CPU, once. */
let unpackr: Unpackr | undefined;

function newUnpackr(): Unpackr {
  const msgpackr: typeof import('msgpackr') = createRequire(import.meta.url)('msgpackr');
  // The types of msgpackr do not know 'auto', which its documentation and code have.
  return new msgpackr.Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'auto' as 'number' });
}

function unpack(payload: Buffer, scan: MsgpackScan): unknown {
  let value: unknown;
  unpackr ??= newUnpackr();
  try {
    // A view of its own, because msgpackr hangs a DataView on the buffer it reads.
    value = unpackr.unpack(payload.subarray());
  } catch (error) {
    // The scan let it through and msgpackr does not: a case that no test has shown yet.
    throw new SluiceError('INVALID_MSGPACK', 'the body could not be unpacked', { cause: error });
  }
  return scan.hasOpaque ? withoutOpaque(value) : value;
}

function withoutOpaque(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array || value instanceof Date) return OPAQUE;
  const container = value as Record<string, unknown>; // an array or a map; both are ours alone
  for (const key of Object.keys(container)) container[key] = withoutOpaque(container[key]);
  return container;
}

function withCleanStrings(bytes: Buffer, unclean: readonly UncleanString[]): Buffer {
  // Shorter texts have headers that are no longer, so the result fits where the body did.
  const result = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  let kept = 0;
  for (const { header, start, end, cleanLength } of unclean) {
    length += bytes.copy(result, length, kept, header);
    length = writeStringHeader(result, length, cleanLength);
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number; // i < end <= length
      if (!isUnwanted(byte)) result[length++] = byte;
    }
    kept = end;
  }
  length += bytes.copy(result, length, kept);
  return result.subarray(0, length);
}

function writeStringHeader(target: Buffer, at: number, length: number): number {
  if (length < 32) return target.writeUInt8(0xa0 | length, at);
  if (length < 0x100) return target.writeUInt8(length, target.writeUInt8(0xd9, at));
  if (length < 0x1_0000) return target.writeUInt16BE(length, target.writeUInt8(0xda, at));
  return target.writeUInt32BE(length, target.writeUInt8(0xdb, at));
}
