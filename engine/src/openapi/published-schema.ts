/** Keywords whose value is a schema, a list of schemas, or schemas by name (JSON Schema 2020-12). */
const SCHEMA = new Set([
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const SCHEMAS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const SCHEMAS_BY_NAME = new Set([
  '$defs',
  'definitions',
  'dependentSchemas',
  'patternProperties',
  'properties',
]);

/** Types that TypeBox has and JSON has not; none of them can be sent. */
const UNSENDABLE = new Set([
  'asyncIterator',
  'constructor',
  'function',
  'iterator',
  'promise',
  'symbol',
  'undefined',
  'void',
]);

/**
 * A schema as others are to read it: JSON Schema 2020-12 that can stand anywhere within a larger document. What
 * TypeBox writes is that but for four things: tuples have the form of draft 7, `bigint` and the like are no types of
 * JSON, values may be no JSON, and references go by `$id`, or are counted from the root of the schema. They are
 * rewritten as pointers from the root of the document: two task types may well have the same `$id`, and few tools
 * follow one.
 *
 * @param pointer where in the document the schema will stand, such as `#/components/schemas/mail`
 * @throws Error when it cannot be written as JSON
 */
export function publishedSchema(schema: unknown, pointer: string): unknown {
  const places = new Map<string, string>();
  visit(schema, pointer, (node, at) => {
    if (typeof node.$id === 'string') places.set(node.$id, at);
  });
  return published(schema, pointer, { root: pointer, places });
}

type Node = Readonly<Record<string, unknown>>;

interface References {
  /** What references that begin with `#` are counted from. */
  readonly root: string;
  readonly places: ReadonlyMap<string, string>;
}

function published(schema: unknown, at: string, outer: References): unknown {
  if (!isNode(schema)) return schema; // true and false are schemas
  if (typeof schema.type === 'string' && UNSENDABLE.has(schema.type)) return { not: {} };
  const references = typeof schema.$id === 'string' ? { ...outer, root: at } : outer;
  const isTuple = Array.isArray(schema.items);
  const copy: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === '$id' || keyword.startsWith('~')) continue;
    const below = under(at, keyword);
    if (keyword === '$ref') copy.$ref = referenceOf(String(value), references);
    else if (keyword === 'type') copy.type = value === 'bigint' ? 'integer' : value;
    else if (keyword === 'items' && isTuple) {
      copy.prefixItems = listOf(value, under(at, 'prefixItems'), references);
    } else if (keyword === 'additionalItems') {
      if (isTuple) copy.items = published(value, below, references);
    } else if (SCHEMA.has(keyword)) copy[keyword] = published(value, below, references);
    else if (SCHEMAS.has(keyword)) copy[keyword] = listOf(value, below, references);
    else if (SCHEMAS_BY_NAME.has(keyword) && isNode(value)) {
      copy[keyword] = Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, published(one, under(below, name), references)]),
      );
    } else {
      const json = jsonOf(value);
      if (json !== undefined) copy[keyword] = json;
    }
  }
  return copy;
}

function listOf(value: unknown, at: string, references: References): unknown {
  return Array.isArray(value)
    ? value.map((one, index) => published(one, `${at}/${index}`, references))
    : value;
}

function referenceOf(reference: string, { root, places }: References): string {
  if (reference === '#') return root;
  if (reference.startsWith('#/')) return root + reference.slice(1);
  return places.get(reference) ?? reference;
}

/** The pointer one step further down: a JSON Pointer as a fragment (RFC 6901, 6). */
function under(pointer: string, key: string): string {
  const token = key.replaceAll('~', '~0').replaceAll('/', '~1');
  return `${pointer}/${encodeURIComponent(token).replaceAll('%24', '$')}`;
}

/** Goes through a schema and all within it. */
function visit(schema: unknown, at: string, look: (node: Node, at: string) => void): void {
  if (!isNode(schema)) return;
  look(schema, at);
  for (const [keyword, value] of Object.entries(schema)) {
    const isTuple = keyword === 'items' && Array.isArray(value);
    const below = under(at, isTuple ? 'prefixItems' : keyword);
    if (Array.isArray(value)) {
      if (SCHEMAS.has(keyword) || isTuple) {
        value.forEach((one, index) => {
          visit(one, `${below}/${index}`, look);
        });
      }
    } else if (SCHEMA.has(keyword)) visit(value, below, look);
    else if (SCHEMAS_BY_NAME.has(keyword) && isNode(value)) {
      for (const [name, one] of Object.entries(value)) visit(one, under(below, name), look);
    }
  }
}

/** A value of a keyword, such as a default, as JSON can say it. */
function jsonOf(value: unknown): unknown {
  if (value instanceof RegExp) return value.source;
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'bigint' ? Number(part) : part,
  ) as string | undefined; // there is none for a function
  return text === undefined ? undefined : JSON.parse(text);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
