import type { TSchema, Type } from 'typebox';

/**
 * Builds the schemas of options: TypeBox's own builders by their names, their types and what they make (the tests
 * compare them), without TypeBox being loaded. Of a program that starts it is 540 files and a third of a second of
 * CPU, and one that has no task type with a schema needs nothing else of it: docs/decisions/0030-what-a-start-is-made-of.md.
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

/** What a schema made by {@link Option} can ask of a value. */
interface Asked extends Partial<Refined> {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly TSchema[];
  readonly items?: TSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
}

/** Keywords that ask something of a value and are not among those of `Asked`: JSON Schema 2020-12, and TypeBox. */
const NOT_KNOWN: readonly string[] = [
  ...['exclusiveMaximum', 'multipleOf', 'maxLength', 'format', 'enum', 'not', 'allOf', 'oneOf', 'if', '$ref'],
  ...[
    'prefixItems',
    'contains',
    'minItems',
    'maxItems',
    'uniqueItems',
    'unevaluatedItems',
    'additionalItems',
  ],
  ...['properties', 'patternProperties', 'additionalProperties', 'propertyNames', 'unevaluatedProperties'],
  ...['required', 'minProperties', 'maxProperties', 'dependentRequired', 'dependentSchemas', '~guard'],
];

/**
 * Whether an option may have a value, as TypeBox would say it.
 *
 * @throws Error when the schema asks for what options have no use for, such as `format`: nothing is taken unseen
 */
export function isAllowed(schema: TSchema, value: unknown): boolean {
  const strange = NOT_KNOWN.find((keyword) => keyword in schema);
  if (strange !== undefined) throw new Error(`the schema of an option cannot have the keyword ${strange}`);
  const { anyOf, items, '~refine': refinements, ...asked } = withRefinements(schema);
  return (
    isOfType(asked.type, value) &&
    (asked.const === undefined || asked.const === value) &&
    (typeof value !== 'number' || isWithin(asked, value)) &&
    (typeof value !== 'string' || isWritten(asked, value)) &&
    (anyOf === undefined || anyOf.some((one) => isAllowed(one, value))) &&
    (items === undefined || !Array.isArray(value) || value.every((item) => isAllowed(items, item))) &&
    (refinements === undefined || refinements.every(({ check }) => check(value)))
  );
}

/** Refinements are hidden, so that a schema with them is still JSON. */
function withRefinements(schema: TSchema): Asked {
  const { '~refine': refinements }: Partial<Refined> = schema;
  return refinements === undefined ? schema : { ...schema, '~refine': refinements };
}

function isOfType(type: string | undefined, value: unknown): boolean {
  switch (type) {
    case undefined:
      return true;
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'array':
      return Array.isArray(value);
    case 'string':
    case 'boolean':
      return typeof value === type;
    default:
      throw new Error(`an option cannot be of type ${type}`);
  }
}

function isWithin({ minimum, maximum, exclusiveMinimum }: Asked, value: number): boolean {
  return (
    (minimum === undefined || value >= minimum) &&
    (maximum === undefined || value <= maximum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum)
  );
}

/** The least length of any option is 1: what counts as a character makes no difference. */
function isWritten({ minLength, pattern }: Asked, value: string): boolean {
  return (
    (minLength === undefined || value.length >= minLength) &&
    (pattern === undefined || new RegExp(pattern, 'u').test(value))
  );
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
