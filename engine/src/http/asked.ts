import { ACK_LEVELS, type AckLevel } from '../append/ack-level.js';
import { MAX_KEY_LENGTH, parseIdempotencyKey } from '../intake/idempotency-key.js';
import type { Refusal } from './answers.js';
import { preferredAck } from './prefer.js';

/** What a request asks for beyond being taken in, as its headers say it. */
export interface AskedHeaders {
  /** All `Prefer` headers, joined. */
  readonly prefer: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** How many such headers it has. */
  readonly idempotencyKeys: number;
}

/** The same, understood. Most requests ask for nothing, and have none. */
export interface Asked {
  /** The level of acknowledgement at which the task is answered. */
  readonly level: AckLevel;
  /** Whether that is the level that was asked for, rather than the usual one. */
  readonly isPreferred: boolean;
  /** The key under which it is to be stored once. */
  readonly key: string | undefined;
  /** Whose key that is, by the name of the API key it came with; empty where anybody may send. */
  readonly holder: string;
  /** By what it is told from others under the same key; known once its body is. */
  fingerprint: string;
}

const NOTHING: AskedHeaders = { prefer: undefined, idempotencyKey: undefined, idempotencyKeys: 0 };

/** Notes an `Idempotency-Key` header. */
export function withIdempotencyKey(headers: AskedHeaders | undefined, value: string): AskedHeaders {
  const { prefer, idempotencyKeys } = headers ?? NOTHING;
  return { prefer, idempotencyKey: value, idempotencyKeys: idempotencyKeys + 1 };
}

/** Notes a `Prefer` header. */
export function withPrefer(headers: AskedHeaders | undefined, value: string): AskedHeaders {
  const before = headers ?? NOTHING;
  return { ...before, prefer: before.prefer === undefined ? value : `${before.prefer}, ${value}` };
}

/**
 * Understands what a request asks for, or says why it cannot be.
 *
 * @param holderOf says who sends it, where that matters
 */
export function askedOf(
  headers: AskedHeaders | undefined,
  ackMode: AckLevel,
  holderOf: () => string,
): Asked | Refusal {
  const { prefer, idempotencyKey, idempotencyKeys } = headers ?? NOTHING;
  const key = idempotencyKey === undefined ? undefined : parseIdempotencyKey(idempotencyKey);
  if (idempotencyKeys > 1 || (key === undefined && idempotencyKeys > 0)) return KEY_MALFORMED;
  const preferred = prefer === undefined ? { ack: undefined } : preferredAck(prefer);
  const wanted = ACK_LEVELS.find((one) => one === preferred?.ack);
  if (preferred === undefined || (preferred.ack !== undefined && wanted === undefined)) return LEVEL_UNKNOWN;
  const asked = wanted ?? ackMode;
  // Whose id to answer with, only Redis knows: a task with a key is always waited for.
  const level = key !== undefined && asked === 'received' ? 'appended' : asked;
  const holder = key === undefined ? '' : holderOf();
  return { level, isPreferred: level === wanted, key, holder, fingerprint: '' };
}

const KEY_MALFORMED: Refusal = {
  code: 'INVALID_IDEMPOTENCY_KEY',
  message: `the Idempotency-Key is malformed; allowed: one header with 1 to ${MAX_KEY_LENGTH} printable ASCII characters, in quotes if it has a comma`,
};

const LEVEL_UNKNOWN: Refusal = {
  code: 'INVALID_PREFERENCE',
  message: `the Prefer header is malformed, or its ack is unknown; allowed: ${ACK_LEVELS.map((level) => `ack=${level}`).join(', ')}`,
};
