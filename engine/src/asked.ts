import type { Refusal } from './answers.js';
import { MAX_KEY_LENGTH, parseIdempotencyKey } from './idempotency-key.js';
import type { AckMode } from './options.js';

/** What a request asks for beyond being taken in, as its headers say it. */
export interface AskedHeaders {
  idempotencyKey: string | undefined;
  /** How many such headers it has. */
  idempotencyKeys: number;
}

/** The same, understood. Most requests ask for nothing, and have none. */
export interface Asked {
  /** The level of acknowledgement at which the task is answered. */
  readonly level: AckMode;
  /** The key under which it is to be stored once. */
  readonly key: string | undefined;
  /** By what it is told from others under the same key; known once its body is. */
  fingerprint: string;
}

/** Notes an `Idempotency-Key` header. */
export function withIdempotencyKey(headers: AskedHeaders | undefined, value: string): AskedHeaders {
  return { ...headers, idempotencyKey: value, idempotencyKeys: (headers?.idempotencyKeys ?? 0) + 1 };
}

/** Understands what a request asks for, or says why it cannot be. */
export function askedOf(headers: AskedHeaders, ackMode: AckMode): Asked | Refusal {
  const { idempotencyKey, idempotencyKeys } = headers;
  const key = idempotencyKey === undefined ? undefined : parseIdempotencyKey(idempotencyKey);
  if (idempotencyKeys > 1 || (key === undefined && idempotencyKeys > 0)) {
    const message = `the Idempotency-Key is malformed; allowed: one header with 1 to ${MAX_KEY_LENGTH} printable ASCII characters, in quotes if it has a comma`;
    return { code: 'INVALID_IDEMPOTENCY_KEY', message };
  }
  // Whose id to answer with, only Redis knows: a task with a key is always waited for.
  const level = key !== undefined && ackMode === 'received' ? 'appended' : ackMode;
  return { level, key, fingerprint: '' };
}
