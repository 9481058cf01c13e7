import type { Static, TObject, TSchema } from 'typebox';
import { Check } from 'typebox/schema';
import { type Fault, SluiceError } from './errors.js';
import { Option } from './option-schema.js';

/** What an option says of itself besides its TypeBox keywords. */
export interface OptionNotes {
  /** Environment variable that sets it. An option without one can be set by library calls only. */
  env?: string;
  /** Meaning, unit, and what happens if it is wrong. */
  description: string;
  /** Its value may hold a password and is shown only in part. */
  secret?: boolean;
}

/** The property of a TypeBox schema with its notes, as `Options` reads them. */
type NotedSchema = TSchema & OptionNotes & { default?: unknown };

/** A check that takes several options together: returns what is wrong, or nothing. */
export type PairCheck<Options> = (options: Options) => Fault | undefined;

/**
 * The options of a library call, with defaults filled in.
 *
 * @throws SluiceError `INVALID_OPTIONS` with one fault per wrong option, all at once.
 */
export function resolveOptions<S extends TObject>(
  schema: S,
  given: Record<string, unknown>,
  pairs: readonly PairCheck<Static<S>>[] = [],
): Static<S> {
  return resolve(schema, given, (option) => option, pairs);
}

/**
 * The options read from the environment. An empty variable counts as not set.
 *
 * @throws SluiceError `INVALID_OPTIONS` with one fault per wrong variable, all at once; each names the
 * variable, its value and what is allowed.
 */
export function readEnvironment<S extends TObject>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
  pairs: readonly PairCheck<Static<S>>[] = [],
): Static<S> {
  const given: Record<string, unknown> = {};
  for (const [option, property] of Object.entries(schema.properties as Record<string, NotedSchema>)) {
    const text = property.env === undefined ? undefined : environment[property.env];
    if (text !== undefined && text !== '') given[option] = fromText(property, text);
  }
  return resolve(schema, given, (option) => noted(schema, option).env ?? option, pairs);
}

/** A row of the configuration table in the README. */
export interface OptionRow {
  option: string;
  env: string | undefined;
  allowed: string;
  fallback: string;
  description: string;
}

/** The options of a schema as rows, for the generated configuration table. */
export function describeOptions(schema: TObject): OptionRow[] {
  return Object.entries(schema.properties as Record<string, NotedSchema>).map(([option, property]) => ({
    option,
    env: property.env,
    allowed: allowed(property),
    fallback: property.default === undefined ? '' : String(property.default),
    description: property.description,
  }));
}

function resolve<S extends TObject>(
  schema: S,
  given: Record<string, unknown>,
  nameOf: (option: string) => string,
  pairs: readonly PairCheck<Static<S>>[],
): Static<S> {
  const options: Record<string, unknown> = {};
  const faults: Fault[] = [];
  for (const [option, property] of Object.entries(schema.properties as Record<string, NotedSchema>)) {
    const value = given[option] ?? property.default;
    if (value === undefined) {
      if ((schema.required as string[] | undefined)?.includes(option)) {
        faults.push({ path: nameOf(option), reason: `is not set; allowed: ${allowed(property)}` });
      }
      continue;
    }
    if (Check(property, value)) options[option] = value;
    else
      faults.push({
        path: nameOf(option),
        reason: `is ${shown(property, value)}; allowed: ${allowed(property)}`,
      });
  }
  for (const option of Object.keys(given)) {
    if (!(option in schema.properties)) {
      faults.push({
        path: option,
        reason: `is no option; allowed: ${Object.keys(schema.properties).join(', ')}`,
      });
    }
  }
  if (faults.length === 0) {
    for (const check of pairs) {
      const fault = check(options as Static<S>);
      if (fault !== undefined) faults.push({ path: nameOf(fault.path), reason: fault.reason });
    }
  }
  if (faults.length > 0) {
    const lines = faults.map((fault) => `${fault.path} ${fault.reason}`);
    throw new SluiceError('INVALID_OPTIONS', lines.join('\n'), { details: faults });
  }
  return options as Static<S>;
}

function noted(schema: TObject, option: string): Partial<NotedSchema> {
  return (schema.properties as Record<string, NotedSchema>)[option] ?? {};
}

/** A number where the option can be one, a boolean where it is one, else the text itself. */
function fromText(property: TSchema, text: string): unknown {
  const trimmed = text.trim();
  const types = alternatives(property).map((one) => (one as { type?: string }).type);
  if (types.includes('integer') || types.includes('number')) {
    const number = Number(trimmed);
    if (trimmed !== '' && Number.isFinite(number)) return number;
  }
  if (types.includes('boolean')) {
    if (trimmed === 'true' || trimmed === '1') return true;
    if (trimmed === 'false' || trimmed === '0') return false;
  }
  return trimmed;
}

function alternatives(property: TSchema): TSchema[] {
  return (property as { anyOf?: TSchema[] }).anyOf ?? [property];
}

/** The keywords of TypeBox schemas that say what is allowed, and `allowed`, which says it in words instead. */
interface Keywords {
  type?: string;
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  pattern?: string;
  minLength?: number;
  allowed?: string;
}

function allowed(property: TSchema): string {
  return alternatives(property)
    .map((one) => {
      const keywords = one as Keywords;
      if (keywords.allowed !== undefined) return keywords.allowed;
      if (keywords.const !== undefined) return String(keywords.const);
      if (keywords.type === 'boolean') return 'true, false';
      if (keywords.type === 'integer' || keywords.type === 'number') return allowedNumber(keywords);
      if (keywords.pattern !== undefined) return `text that matches ${keywords.pattern}`;
      return (keywords.minLength ?? 0) > 0 ? 'text, not empty' : 'text';
    })
    .join(', ');
}

function allowedNumber({ type, minimum, exclusiveMinimum, maximum }: Keywords): string {
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  if (minimum !== undefined && maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`;
  const bounds: string[] = [];
  if (minimum !== undefined) bounds.push(`from ${minimum}`);
  if (exclusiveMinimum !== undefined) bounds.push(`above ${exclusiveMinimum}`);
  if (maximum !== undefined) bounds.push(`at most ${maximum}`);
  return bounds.length === 0 ? kind : `${kind} ${bounds.join(', ')}`;
}

function shown(property: NotedSchema, value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  } catch {
    text = `a ${typeof value}`;
  }
  return property.secret === true ? masked(text) : text;
}

/**
 * All before the last `@` but the scheme, and the query: passwords can stand in both, with an `@` in them too.
 * Without an `@`, what follows a colon and is no port: the `@host` may have been forgotten.
 */
function masked(text: string): string {
  return text
    .replace(/^("?(?:[a-z]+:\/\/)?).*@/is, '$1***@')
    .replace(/^("?[a-z]+:\/\/[^:@]*:)(?!\d{1,5}\b)[^@]*?("?)$/is, '$1***$2')
    .replace(/\?.*?("?)$/s, '?***$1');
}

/** The options both ends share: which Redis, which streams. */
export const queueOptions = {
  redisUrl: Option.Refine(
    Option.String({
      env: 'REDIS_URL',
      pattern: '^rediss?://',
      allowed: 'redis://[user:password@]host[:port][/database], rediss:// for TLS',
      secret: true,
      default: 'redis://localhost:6379',
      description: 'The Redis that holds the streams.',
    }),
    isRedisUrl,
  ),
  streamName: Option.String({
    env: 'REDIS_STREAM_NAME',
    minLength: 1,
    default: 'tasks:stream',
    description:
      'Stream of untyped tasks; typed ones go to `<name>:<type>`, all other keys derive from it too.',
  }),
};

/**
 * Whether a URL leads to a Redis and a database. It has no query: ioredis would take options from it, `?db=1` for
 * one, that the connection for appends knows nothing of.
 */
function isRedisUrl(text: string): boolean {
  try {
    const { username, password, pathname, search, hash } = new URL(text);
    decodeURIComponent(username);
    decodeURIComponent(password);
    return /^\/?\d*$/.test(pathname) && search === '' && hash === '';
  } catch {
    return false; // no URL, or a % in a name that encodes nothing
  }
}
