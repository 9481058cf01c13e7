import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { publishedSchema } from './published-schema.js';

const POINTER = '#/components/schemas/data.it';

const tree = Type.Cyclic(
  { Node: Type.Object({ id: Type.String(), kids: Type.Array(Type.Ref('Node')) }) },
  'Node',
);

/** Schemas, each with bodies that it takes and bodies that it does not. */
const SCHEMAS: Record<string, { schema: TSchema; good: unknown[]; bad: unknown[] }> = {
  'an object with an optional property': {
    schema: Type.Object({ a: Type.String(), b: Type.Optional(Type.Integer()) }),
    good: [{ a: 'x' }, { a: 'x', b: 1 }],
    bad: [{}, { a: 'x', b: 1.5 }, 7],
  },
  'a tuple': {
    schema: Type.Tuple([Type.String(), Type.Number()]),
    good: [['a', 1]],
    bad: [['a'], ['a', 1, 2], [1, 'a']],
  },
  'an array of tuples': {
    schema: Type.Array(Type.Tuple([Type.String()])),
    good: [[], [['a'], ['b']]],
    bad: [[[1]], ['a']],
  },
  'a record': { schema: Type.Record(Type.String(), Type.Number()), good: [{}, { a: 1 }], bad: [{ a: 'x' }] },
  'a union of literals': {
    schema: Type.Union([Type.Literal('a'), Type.Null()]),
    good: ['a', null],
    bad: ['b', 0],
  },
  'a schema that refers to itself': {
    schema: tree,
    good: [{ id: 'a', kids: [{ id: 'b', kids: [] }] }],
    bad: [{ id: 'a', kids: [{ id: 1, kids: [] }] }],
  },
  'one within another': {
    schema: Type.Object({ tree }),
    good: [{ tree: { id: 'a', kids: [] } }],
    bad: [{ tree: { id: 'a', kids: [1] } }],
  },
  'a reference from the root of the schema': {
    schema: Type.Unsafe({ $defs: { 'a/b': { type: 'string' } }, $ref: '#/$defs/a~1b' }),
    good: ['x'],
    bad: [1],
  },
  'a regular expression': { schema: Type.String({ pattern: /^a+$/ }), good: ['aa'], bad: ['b'] },
  'a value called $ref': {
    schema: Type.Unsafe({ const: { $ref: '#', type: 'bigint' } }),
    good: [{ $ref: '#', type: 'bigint' }],
    bad: [{}],
  },
  'a property called items': {
    schema: Type.Object({
      items: Type.Array(Type.String()),
      $ref: Type.String(),
      type: Type.Literal('void'),
    }),
    good: [{ items: ['a'], $ref: 'x', type: 'void' }],
    bad: [{ items: [1], $ref: 'x', type: 'void' }, { items: [] }],
  },
  'a type that JSON has not': {
    schema: Type.Object({ a: Type.Optional(Type.Undefined()), b: Type.Optional(Type.Symbol()) }),
    good: [{}],
    bad: [{ a: 1 }, { b: 'x' }],
  },
  'a large integer': {
    schema: Type.Object({ a: Type.Optional(Type.BigInt()) }),
    good: [{}],
    bad: [{ a: 'x' }],
  },
  everything: { schema: Type.Unknown(), good: [1, null, {}], bad: [] },
  nothing: { schema: Type.Never(), good: [], bad: [1, null, {}] },
};

describe('publishedSchema', () => {
  for (const [what, { schema, good, bad }] of Object.entries(SCHEMAS)) {
    it(`${what} is JSON Schema 2020-12 that takes what the engine takes`, () => {
      const published = publishedSchema(schema, POINTER);
      assert.deepEqual(JSON.parse(JSON.stringify(published)), published);
      const ajv = new Ajv2020({ strict: false });
      assert.equal(ajv.validateSchema(published as object), true, ajv.errorsText());
      ajv.addSchema({ components: { schemas: { 'data.it': published } } }, 'document');
      const check = ajv.compile({ $ref: `document${POINTER}` });
      const compiled = Compile(schema);
      for (const value of good) assert.ok(check(value) && compiled.Check(value), JSON.stringify(value));
      for (const value of bad) assert.ok(!check(value) && !compiled.Check(value), JSON.stringify(value));
    });
  }

  it('two schemas with the same $id do not get into each other’s way', () => {
    const [one, two] = [Type.String({ $id: 'X' }), Type.Number({ $id: 'X' })];
    assert.deepEqual(publishedSchema(one, '#/one'), { type: 'string' });
    assert.deepEqual(publishedSchema(two, '#/two'), { type: 'number' });
  });

  it('what it says for people stays', () => {
    const notes = {
      title: 'A',
      description: 'b',
      examples: ['c', { $id: 'd' }],
      default: 'e',
      format: 'email',
    };
    assert.deepEqual(publishedSchema(Type.String(notes), '#'), { type: 'string', ...notes });
  });

  it('values that are no JSON become what comes closest', () => {
    assert.deepEqual(publishedSchema({ const: 7n, default: undefined, examples: [new Date(0)] }, '#'), {
      const: 7,
      examples: ['1970-01-01T00:00:00.000Z'],
    });
  });

  it('true and false are schemas', () => {
    assert.equal(publishedSchema(true, '#'), true);
    assert.deepEqual(publishedSchema({ properties: { a: false } }, '#'), { properties: { a: false } });
  });
});
