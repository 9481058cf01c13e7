import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import { type ContentType, SluiceError } from '@sluice/contract';
import type { Unpackr } from 'msgpackr';

/** The envelope of a task: the body of `POST /tasks`. */
export interface Payload {
  readonly data: unknown;
  readonly metadata: Record<string, unknown>;
}

/** Loaded with the first task that needs it: 40 ms of CPU, once a thread. */
let unpackr: Unpackr | undefined;

// 'auto' is what msgpackr calls a bigint only where a number would not be exact; its types do not know it.
// Plain maps only: msgpackr's own record structures would let one payload change how the next one reads. Integers of
// 64 bits as the engine checked them: numbers where these are exact. Its types do not know 'auto', its code does.
function newUnpackr(): Unpackr {
  const msgpackr: typeof import('msgpackr') = createRequire(import.meta.url)('msgpackr');
  return new msgpackr.Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'auto' as 'number' });
}

/**
 * Decodes the stored body of a task.
 *
 * @throws SluiceError `UNDECODABLE` when the bytes are not what `contentType` says, or hold no envelope.
 */
export function decodePayload(contentType: ContentType, payload: Buffer): Payload {
  const envelope = contentType === 'application/json' ? parseJson(payload) : unpack(payload);
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) {
    throw undecodable(`the payload is ${nameOf(envelope)}; needed: an object with "data"`);
  }
  // `in` says what the decoders guarantee: an object with string keys.
  const { data, metadata } = envelope as { data?: unknown; metadata?: unknown };
  if (data === undefined) throw undecodable('the payload has no "data"');
  if (metadata === undefined) return { data, metadata: {} };
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw undecodable(`"metadata" is ${nameOf(metadata)}; needed: an object`);
  }
  return { data, metadata: metadata as Record<string, unknown> }; // an object that is no array
}

function parseJson(payload: Buffer): unknown {
  const text = payload.toString();
  // Decoding puts U+FFFD in place of bytes that are no UTF-8, and the result may well be JSON. Looking for it
  // is free where the text is Latin-1, as most is.
  if (text.includes('\ufffd') && !isUtf8(payload)) throw undecodable('the payload is not valid UTF-8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8's message quotes the text around the fault; payloads do not belong into logs.
    throw undecodable('the payload is not valid JSON', cause);
  }
}

function unpack(payload: Buffer): unknown {
  unpackr ??= newUnpackr();
  try {
    return unpackr.unpack(payload);
  } catch (cause) {
    throw undecodable('the payload is not valid MessagePack', cause);
  }
}

function undecodable(message: string, cause?: unknown): SluiceError {
  return new SluiceError('UNDECODABLE', message, { cause });
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
