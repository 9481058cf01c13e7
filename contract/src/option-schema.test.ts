import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TSchema, Type } from 'typebox';
import { Check } from 'typebox/schema';
import { Option } from './option-schema.js';

const isEven = (value: number) => value % 2 === 0;
const isShort = (value: string) => value.length < 5;
const told = () => 'too long';

/** The same schemas, made by the builders of options and by those of TypeBox. */
const pairs = ([Option, Type] as const).map((make) => ({
  text: make.String(),
  name: make.String({ minLength: 1, description: 'A name.' }),
  url: make.String({ env: 'URL', pattern: '^https?://[^/]', default: 'http://a', secret: true }),
  count: make.Integer({ minimum: 1, maximum: 10, default: 2 }),
  seconds: make.Number({ exclusiveMinimum: 0, maximum: 60 }),
  flag: make.Boolean({ default: false }),
  literal: make.Literal('auto'),
  one: make.Literal(1),
  yes: make.Literal(true),
  mode: make.Union([make.Literal('fast'), make.Literal('safe')], { default: 'safe' }),
  threads: make.Union([make.Literal('auto'), make.Integer({ minimum: 1 })]),
  even: make.Refine(make.Integer(), isEven, told),
  short: make.Refine(make.Refine(make.String({ pattern: '^a' }), isShort), (text) => text !== 'abc', told),
  maybe: make.Optional(make.Refine(make.String(), isShort, told)),
  list: make.Array(make.String({ minLength: 1 }), { value: 'type' }),
}));

const values: readonly unknown[] = [
  ...[undefined, null, true, false, {}, [], ['a'], ['a', ''], ['a', 1], Symbol('a'), 1n, () => 1],
  ...[0, -0, 1, 2, 3, 10, 11, -1, 0.5, 1.5, 60, 60.001, Number.NaN, Infinity, -Infinity, 2 ** 53, 1e-9],
  ...[
    '',
    'a',
    'abc',
    'abcdef',
    'auto',
    'fast',
    'safe',
    'Safe',
    '1',
    'http://a',
    'http:///',
    'https://b/c',
    '\n',
  ],
];

/** All of a schema, the hidden marks too; functions by what they are. */
function marksOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) {
    return typeof schema === 'function' ? [schema.name, schema === told && 'told'] : schema;
  }
  return Object.entries(Object.getOwnPropertyDescriptors(schema)).map(([key, { value, enumerable }]) => [
    key,
    enumerable,
    marksOf(value),
  ]);
}

describe('schemas of options', () => {
  const [own = {}, typebox = {}]: readonly Record<string, TSchema>[] = pairs;

  for (const name of Object.keys(own)) {
    it(`are made as TypeBox makes them: ${name}`, () => {
      const [ours, theirs] = [own[name], typebox[name]].map((one) => withoutErrors(marksOf(one)));
      assert.deepEqual(ours, theirs);
    });

    it(`allow what those of TypeBox allow: ${name}`, () => {
      const [ours, theirs] = [own[name] ?? assert.fail(), typebox[name] ?? assert.fail()];
      for (const value of values) assert.equal(Check(ours, value), Check(theirs, value), String(value));
    });
  }

  it('know what is required of an object, as TypeBox does', () => {
    const [ours, theirs] = ([Option, Type] as const).map((make) => [
      make.Object({ a: make.String(), b: make.Optional(make.Integer()) }, { title: 'c' }),
      make.Object({ b: make.Optional(make.Integer()) }),
      make.Object({}),
    ]);
    assert.deepEqual(marksOf(ours), marksOf(theirs));
  });
});

/** Which function says that a refinement failed unless one is given is TypeBox's own affair. */
function withoutErrors(marks: unknown): unknown {
  if (!Array.isArray(marks)) return marks;
  const [key, enumerable, value] = marks;
  if (key === 'error' && Array.isArray(value) && value[1] !== 'told') return [key, enumerable];
  return marks.map(withoutErrors);
}
