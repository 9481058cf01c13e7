import type { Type } from 'typebox';

/**
 * Builds the schemas of options: TypeBox's own builders by their names, their types and what they make (the tests
 * compare them), without those builders being loaded, 300 files and a fifth of a second of CPU for each program that starts.
 * What validates options is TypeBox's own check: docs/decisions/0030-what-a-start-is-made-of.md.
 */
export const Option = {
  String: (notes?: object) => schemaOf('String', { type: 'string' }, notes),
  Integer: (notes?: object) => schemaOf('Integer', { type: 'integer' }, notes),
  Number: (notes?: object) => schemaOf('Number', { type: 'number' }, notes),
  Boolean: (notes?: object) => schemaOf('Boolean', { type: 'boolean' }, notes),
  Literal: (value: unknown, notes?: object) =>
    schemaOf('Literal', { type: typeof value, const: value }, notes),
  Union: (anyOf: readonly object[], notes?: object) => schemaOf('Union', { anyOf }, notes),
  Array: (items: object, notes?: object) => schemaOf('Array', { type: 'array', items }, notes),
  Object: (properties: Readonly<Record<string, object>>, notes?: object) => {
    const required = Object.keys(properties).filter((name) => !('~optional' in (properties[name] ?? {})));
    const listed = required.length > 0 ? { required } : {};
    return schemaOf('Object', { type: 'object', ...listed, properties }, notes);
  },
  Optional: (schema: object) => marked(schema, '~optional', true),
  Refine: (schema: Partial<Refined>, check: Refinement['check'], error = () => 'Refine Error') =>
    marked(schema, '~refine', [...(schema['~refine'] ?? []), { check, error }]),
} as Builders; // TypeScript cannot tell generic builders from these; the tests hold the results to TypeBox

type Builders = Pick<
  typeof Type,
  | 'String'
  | 'Integer'
  | 'Number'
  | 'Boolean'
  | 'Literal'
  | 'Union'
  | 'Array'
  | 'Object'
  | 'Optional'
  | 'Refine'
>;

interface Refinement {
  readonly check: (value: unknown) => boolean;
  readonly error: (value: unknown) => string;
}

interface Refined {
  readonly '~refine': readonly Refinement[];
}

function schemaOf(kind: string, keywords: object, notes: object = {}): object {
  return hidden({ ...keywords, ...notes }, '~kind', kind);
}

/** A copy with one more mark; those it has stay hidden. */
function marked(schema: object, mark: string, value: unknown): object {
  return hidden(Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema)), mark, value);
}

/** As TypeBox keeps what is no JSON Schema. */
function hidden(schema: object, mark: string, value: unknown): object {
  return Object.defineProperty(schema, mark, { configurable: true, writable: true, value });
}
