import { hash, randomBytes } from 'node:crypto';
import { SluiceError } from './errors.js';
import { TASK_TYPE_NAME } from './task-type.js';

/** A key that clients send tasks with, as the file of `API_KEYS_FILE` holds it: all but the key itself. */
export interface ApiKey {
  /** Whose it is. Unique within a file. */
  readonly name: string;
  /** Task types that may be sent with it, `default` for those without one; `*` is all of them. */
  readonly scopes: '*' | readonly string[];
  /** SHA-256 of the key, in 64 lower-case hex digits. */
  readonly digest: string;
}

const MOST_KEYS = 10_000;
const NAME = TASK_TYPE_NAME;
const DIGEST = /^[0-9a-f]{64}$/i;
const KEY_BYTES = 32;

/**
 * The keys in a file: one a line, `<name> <scopes> <sha256 hex of the key>`, scopes with commas between and no space, or
 * `*`. Empty lines and lines that begin with `#` are skipped.
 *
 * @throws SluiceError `INVALID_OPTIONS` that says which line is wrong and why, and nothing of what is in it: somebody may
 * have put the key itself there. A file without any key is wrong too: it was emptied to be written anew.
 */
export function parseApiKeys(text: string): readonly ApiKey[] {
  const keys: ApiKey[] = [];
  const lineOf = new Map<string, number>();
  text.split('\n').forEach((line, index) => {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === '' || fields[0]?.startsWith('#')) return;
    const number = index + 1;
    const key = keyOf(fields, number);
    for (const what of ['name', 'digest'] as const) {
      const mark = `${what} ${key[what]}`;
      const earlier = lineOf.get(mark);
      if (earlier !== undefined) throw wrongLine(number, `has the ${what} of line ${earlier}`);
      lineOf.set(mark, number);
    }
    keys.push(key);
    if (keys.length > MOST_KEYS) throw wrongLine(number, `is one more than the ${MOST_KEYS} keys allowed`);
  });
  if (keys.length === 0) throw new SluiceError('INVALID_OPTIONS', 'there is no key in it');
  return keys;
}

function keyOf(fields: readonly string[], number: number): ApiKey {
  const [name = '', scopes = '', digest = ''] = fields;
  if (fields.length !== 3) {
    throw wrongLine(number, `has ${fields.length} fields; allowed: <name> <scopes> <sha256 hex of the key>`);
  }
  if (!NAME.test(name))
    throw wrongLine(number, 'has a name that is not 1 to 64 letters, digits, ".", "_", "-"');
  if (!areScopes(scopes)) {
    throw wrongLine(number, 'has scopes that are neither * nor names of task types with commas between');
  }
  if (!DIGEST.test(digest)) throw wrongLine(number, 'has a third field that is no SHA-256 in 64 hex digits');
  return { name, scopes: scopes === '*' ? '*' : scopes.split(','), digest: digest.toLowerCase() };
}

function wrongLine(number: number, why: string): SluiceError {
  return new SluiceError('INVALID_OPTIONS', `line ${number} ${why}`);
}

/** Whether a text names scopes: `*`, or task types with commas between. */
export function areScopes(text: string): boolean {
  return text === '*' || text.split(',').every((scope) => TASK_TYPE_NAME.test(scope));
}

/**
 * What stands for a key in the file. A plain SHA-256: it cannot be tried out backwards, since a key is 256 random bits
 * and no password.
 */
export function digestOfApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** A new key, 256 random bits; its prefix lets scanners for secrets find it where it should not be. */
export function newApiKey(): string {
  return `sluice_${randomBytes(KEY_BYTES).toString('base64url')}`;
}
