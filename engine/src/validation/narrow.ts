import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';
import { jsonPointer } from '../body/json-pointer.js';

/** A part of a value that does not match its part of the schema. */
export interface FaultyPart {
  readonly schema: TSchema;
  readonly value: unknown;
  /** JSON Pointer to the part. */
  readonly path: string;
}

/** Looking for errors takes TypeBox 0.7 µs a value, and it looks at all of them: 0.4 s for an array of 1 MiB. */
const MAX_VALUES = 2_000;

/**
 * Narrows a value that does not match its schema down to a part that does not either and has few enough values
 * to look for the errors: step by step to the first property or item that fails its own check, which is
 * compiled and fast. Where none fails, the fault is in the object or array itself, and what is asked of its
 * properties or items is left out of the schema. Nothing when that is too large as well.
 */
export function narrow(schema: TSchema, value: unknown, path: string): FaultyPart | undefined {
  let part: FaultyPart = { schema, value, path };
  while (!isSmall(part.value)) {
    const next = faultyChild(part);
    if (next === undefined)
      return hasManyKeys(part.value) ? undefined : { ...part, schema: ofItself(part.schema) };
    part = next;
  }
  return part;
}

interface ContainerSchema extends TSchema {
  items?: unknown;
  properties?: Record<string, TSchema>;
  patternProperties?: Record<string, TSchema>;
  additionalProperties?: unknown;
}

function faultyChild({ schema, value, path }: FaultyPart): FaultyPart | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const { items } = schema as ContainerSchema;
    const index = isSchema(items) ? value.findIndex((item) => !matches(items, item)) : -1;
    return index === -1 || !isSchema(items) ? undefined : childOf(path, index, items, value[index]);
  }
  for (const [key, child] of Object.entries(value)) {
    const property = schemaOfProperty(schema, key);
    if (property !== undefined && !matches(property, child)) return childOf(path, key, property, child);
  }
  return undefined;
}

function childOf(path: string, token: string | number, schema: TSchema, value: unknown): FaultyPart {
  return { schema, value, path: path + jsonPointer([token]) };
}

function schemaOfProperty(schema: ContainerSchema, key: string): TSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  for (const [pattern, property] of Object.entries(schema.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return property;
  }
  return undefined;
}

/** The keywords that ask something of an array or object itself. */
const OWN_KEYWORDS = [
  'type',
  'minItems',
  'maxItems',
  'uniqueItems',
  'required',
  'minProperties',
  'maxProperties',
] as const;

/** What a schema asks of an array or object itself, and which properties there may be. */
function ofItself(schema: ContainerSchema): TSchema {
  const own: Record<string, unknown> = {};
  for (const keyword of OWN_KEYWORDS) if (keyword in schema) own[keyword] = Reflect.get(schema, keyword);
  const { properties = {}, patternProperties, additionalProperties } = schema;
  if (additionalProperties === false && patternProperties === undefined) {
    own.properties = Object.fromEntries(Object.keys(properties).map((key) => [key, {}]));
    own.additionalProperties = false;
  }
  return own;
}

function isSchema(items: unknown): items is TSchema {
  return typeof items === 'object' && items !== null && !Array.isArray(items);
}

/**
 * The compiled parts of schemas that were needed so far; nothing for a part that refers to another, which it
 * cannot find on its own. No more than the schemas have parts.
 */
const compiledParts = new WeakMap<TSchema, Validator | undefined>();

function matches(schema: TSchema, value: unknown): boolean {
  if (!compiledParts.has(schema)) {
    const refers = /"\$(?:r|recursiveR|dynamicR)ef"/.test(JSON.stringify(schema));
    compiledParts.set(schema, refers ? undefined : Compile(schema));
  }
  return compiledParts.get(schema)?.Check(value) ?? true;
}

function isSmall(value: unknown): boolean {
  let left = MAX_VALUES;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    const children: unknown[] = Array.isArray(next) ? next : Object.values(next);
    left -= children.length;
    if (left < 0) return false;
    waiting.push(...children);
  }
  return true;
}

/** Of an array only its length is still looked at, of an object each key. */
function hasManyKeys(value: unknown): boolean {
  return !Array.isArray(value) && Object.keys(Object(value)).length > MAX_VALUES;
}
