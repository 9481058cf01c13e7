import { isUtf8 } from 'node:buffer';
import { SluiceError } from '@sluice/contract';
import { printable } from '../printable.js';
import { type Assignment, assign, editJson } from './exact-json.js';
import type { DeadLetter } from './letter.js';

/** Most bytes that are shown of a payload that is no text. */
const MOST_HEX = 512;

/** The payload of a letter for people: JSON indented, everything else as its bytes. */
export function payloadText({ contentType, payload }: Pick<DeadLetter, 'contentType' | 'payload'>): string {
  if (payload === undefined) return 'payload  none';
  const head = `payload  ${contentType}, ${payload.length} bytes`;
  if (contentType === 'application/json' && isUtf8(payload)) {
    try {
      return `${head}\n${printable(editJson(payload.toString(), undefined, 2))}`;
    } catch {
      return `${head}, not valid JSON\n${printable(payload.toString())}`;
    }
  }
  return `${head}\n${hexText(payload)}`;
}

/** Sixteen bytes a line: where they are, what they are, and what they look like. */
function hexText(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, MOST_HEX); at += 16) {
    const line = bytes.subarray(at, at + 16);
    const hex = [...line].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...line]
      .map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`  ${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  if (bytes.length > MOST_HEX) lines.push(`  and ${bytes.length - MOST_HEX} bytes more`);
  return lines.join('\n');
}

/** The payload as JSON text that a person can edit. @throws SluiceError when it is none */
export function editableText(letter: DeadLetter): string {
  const { payload, contentType, id } = letter;
  if (payload === undefined || contentType !== 'application/json') {
    throw refusal(
      id,
      `its payload is ${payload === undefined ? 'missing' : contentType}, and only JSON can be edited`,
    );
  }
  try {
    return editJson(payload.toString(), undefined, 2);
  } catch {
    return payload.toString(); // editing may be what makes it valid
  }
}

/** The payload with the assignments made. @throws SluiceError when it is not JSON, or no envelope afterwards */
export function payloadWith(letter: DeadLetter, assignments: readonly Assignment[]): Buffer {
  const text = editableText(letter);
  let edited: string;
  try {
    edited = editJson(text, (document, parse) => {
      for (const assignment of assignments) assign(document, assignment, parse(assignment.value));
      return document;
    });
  } catch (error) {
    if (error instanceof SluiceError) throw new SluiceError(error.code, `${letter.id}: ${error.message}`);
    throw refusal(letter.id, 'its payload is not valid JSON; --edit can mend it');
  }
  return checkedPayload(letter.id, edited);
}

/**
 * Text as a payload that consumers can read.
 *
 * @throws SluiceError when it is no JSON, or no object with `data`
 */
export function checkedPayload(id: string, text: string): Buffer {
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch (error) {
    throw refusal(
      id,
      `the edited payload is not valid JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
  const isEnvelope = typeof envelope === 'object' && envelope !== null && 'data' in envelope;
  if (!isEnvelope)
    throw refusal(id, 'the edited payload is no envelope; needed: {"data": …, "metadata"?: {…}}');
  const { metadata = {} } = envelope as { metadata?: unknown }; // an object, as was just seen
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw refusal(id, 'the metadata of the edited payload is no object');
  }
  return Buffer.from(text);
}

function refusal(id: string, why: string): SluiceError {
  return new SluiceError('INVALID_OPTIONS', `${id}: ${why}`);
}
