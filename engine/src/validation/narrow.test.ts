import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineTaskType, type Fault } from '@sluice/contract';
import { Type } from 'typebox';
import { compileValidators } from './validator.js';

describe('the faults of large bodies', () => {
  const row = Type.Object({ id: Type.Integer(), tag: Type.Optional(Type.String()) });
  const table = Type.Object(
    {
      name: Type.String(),
      rows: Type.Array(row, { maxItems: 20_000 }),
      byKey: Type.Optional(Type.Record(Type.String(), row)),
      either: Type.Optional(Type.Union([Type.Array(Type.Integer()), Type.Null()])),
    },
    { additionalProperties: false },
  );
  const rows = Array.from({ length: 10_000 }, (_, id) => ({ id }));
  const cases: [what: string, data: unknown, faults: Fault[]][] = [
    [
      'one bad row of many',
      { name: 'a', rows: [...rows, { id: 'x', tag: 1 }, ...rows] },
      [
        { path: '/data/rows/10000/id', reason: 'must be a whole number' },
        { path: '/data/rows/10000/tag', reason: 'must be text' },
      ],
    ],
    [
      'one bad entry of many',
      {
        name: 'a',
        rows: [],
        byKey: { ...Object.fromEntries(rows.map((one) => [`k${one.id}`, one])), 'a/b': {} },
      },
      [{ path: '/data/byKey/a~1b/id', reason: 'is required' }],
    ],
    [
      'what is missing and unknown beside many rows',
      { rows, more: 1 },
      [
        { path: '/data/name', reason: 'is required' },
        { path: '/data/more', reason: 'is not allowed; allowed: name, rows, byKey, either' },
      ],
    ],
    [
      'too many rows',
      { name: 'a', rows: [...rows, ...rows, { id: 1 }] },
      [{ path: '/data/rows', reason: 'must not have more than 20000 items' }],
    ],
    [
      'the place alone where a union has no telling alternative',
      { name: 'a', rows: [], either: [...rows.map((one) => one.id), 'x'] },
      [{ path: '/data', reason: 'does not match the schema; it is too large or too deep to say where' }],
    ],
    [
      'the place alone of thousands of unknown properties',
      { name: 'a', rows: [], ...Object.fromEntries(rows.map((one) => [`k${one.id}`, one])) },
      [{ path: '/data', reason: 'does not match the schema; it is too large or too deep to say where' }],
    ],
  ];
  const validator = compileValidators([defineTaskType('table', table)], 60).of('table');
  for (const [what, data, faults] of cases) {
    it(`names ${what}`, () => assert.deepEqual(validator.faults({ data }), faults));
  }

  it('names what it can of a schema that refers to itself, at any depth', () => {
    const list = Type.Cyclic(
      { Node: Type.Object({ value: Type.Integer(), next: Type.Optional(Type.Ref('Node')) }) },
      'Node',
    );
    const validator = compileValidators([defineTaskType('list', list)], 60).of('list');
    const nested = (levels: number): object =>
      levels === 0 ? { value: 'x' } : { value: 1, next: nested(levels - 1) };
    assert.equal(validator.check({ data: nested(900) }), false);
    assert.deepEqual(validator.faults({ data: nested(2) }), [
      { path: '/data/next/next/value', reason: 'must be a whole number' },
    ]);
    assert.deepEqual(validator.faults({ data: nested(900) }), [
      { path: '/data', reason: 'does not match the schema; it is too large or too deep to say where' },
    ]);
  });

  it('does not take a part that refers to another for faulty because it cannot be checked alone', () => {
    const holder = Type.Unsafe<unknown>({
      type: 'object',
      $defs: { Row: row },
      properties: { rows: { type: 'array', items: { $ref: '#/$defs/Row' } }, note: { type: 'string' } },
    });
    const validator = compileValidators([defineTaskType('holder', holder)], 60).of('holder');
    assert.equal(validator.check({ data: { rows, note: 'a' } }), true);
    assert.deepEqual(validator.faults({ data: { rows, note: 1 } }), [
      { path: '/data/note', reason: 'must be text' },
    ]);
  });
});
