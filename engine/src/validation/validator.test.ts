import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_TASK_TYPE, defineTaskType, type Fault } from '@sluice/contract';
import { type TSchema, Type } from 'typebox';
import { Settings } from 'typebox/system';
import { OPAQUE } from '../body/msgpack.js';
import { compileValidators } from './validator.js';

describe('the validator of untyped tasks', () => {
  const validator = compileValidators([], 60).of(DEFAULT_TASK_TYPE);

  for (const body of [
    { data: null },
    { data: undefined, metadata: {} },
    { data: [1], metadata: { a: { b: 1 } } },
    { metadata: {}, data: OPAQUE },
  ]) {
    it(`takes ${shown(body)}`, () => {
      assert.equal(validator.check(body), true);
      assert.deepEqual(validator.faults(body), []);
    });
  }

  const refused: [body: unknown, faults: Fault[]][] = [
    [null, [{ path: '', reason: 'must be an object with data and, if you like, metadata' }]],
    ['data', [{ path: '', reason: 'must be an object with data and, if you like, metadata' }]],
    [[{ data: 1 }], [{ path: '', reason: 'must be an object with data and, if you like, metadata' }]],
    [OPAQUE, [{ path: '', reason: 'must be an object with data and, if you like, metadata' }]],
    [{}, [{ path: '/data', reason: 'is required' }]],
    [{ metadata: {} }, [{ path: '/data', reason: 'is required' }]],
    [{ data: 1, metadata: null }, [{ path: '/metadata', reason: 'must be an object' }]],
    [{ data: 1, metadata: [] }, [{ path: '/metadata', reason: 'must be an object' }]],
    [{ data: 1, metadata: 'a' }, [{ path: '/metadata', reason: 'must be an object' }]],
    [{ data: 1, metadata: OPAQUE }, [{ path: '/metadata', reason: 'must be an object' }]],
    [
      { data: 1, 'ex/tra': 2 },
      [{ path: '/ex~1tra', reason: 'is not allowed; allowed: data, metadata, delay, run_at' }],
    ],
    [
      { dat: 1, metadata: 2 },
      [
        { path: '/data', reason: 'is required' },
        { path: '/metadata', reason: 'must be an object' },
        { path: '/dat', reason: 'is not allowed; allowed: data, metadata, delay, run_at' },
      ],
    ],
  ];
  for (const [body, faults] of refused) {
    it(`refuses ${shown(body)} and says why`, () => {
      assert.equal(validator.check(body), false);
      assert.deepEqual(validator.faults(body), faults);
    });
  }

  it('tells at most 20 faults', () => {
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, i]));
    assert.equal(validator.faults(body).length, 20);
  });
});

describe('the validator of a typed task', () => {
  const order = Type.Object(
    {
      id: Type.Integer({ minimum: 1 }),
      state: Type.Union([Type.Literal('open'), Type.Literal('paid'), Type.Null()]),
      email: Type.Optional(Type.String({ format: 'email' })),
      code: Type.Optional(Type.String({ pattern: '^[a-z]+$', maxLength: 5 })),
      lines: Type.Array(Type.Object({ 'sku/no': Type.String({ minLength: 2 }), count: Type.Number() }), {
        minItems: 1,
      }),
      pay: Type.Optional(
        Type.Union([
          Type.Object({ by: Type.Literal('card'), number: Type.String() }),
          Type.Object({ by: Type.Literal('bank'), iban: Type.String() }, { additionalProperties: false }),
        ]),
      ),
      size: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
      level: Type.Optional(Type.Enum(['low', 'high'])),
      extra: Type.Optional(
        Type.Record(Type.String({ pattern: '^x-' }), Type.Boolean(), { additionalProperties: false }),
      ),
      pair: Type.Optional(Type.Tuple([Type.Integer(), Type.Integer()])),
    },
    { additionalProperties: false },
  );
  const validator = compileValidators([defineTaskType('order', order)], 60).of('order');
  const good = { id: 1, state: 'open', lines: [{ 'sku/no': 'ab', count: 1 }] };

  it('takes what its schema describes', () => {
    for (const data of [
      good,
      { ...good, state: null, email: 'a@b.example', pay: { by: 'bank', iban: 'x' }, size: 3, level: 'low' },
      { ...good, extra: { 'x-a': true }, pair: [1, 2] },
    ]) {
      assert.equal(validator.check({ data, metadata: {} }), true);
      assert.deepEqual(validator.faults({ data }), []);
    }
  });

  const refused: [what: string, change: object, faults: Fault[]][] = [
    ['a wrong type', { id: '1' }, [{ path: '/data/id', reason: 'must be a whole number' }]],
    ['a number out of range', { id: 0 }, [{ path: '/data/id', reason: 'must be >= 1' }]],
    ['a missing property', { id: undefined }, [{ path: '/data/id', reason: 'is required' }]],
    [
      'an unknown property',
      { colour: 'red' },
      [
        {
          path: '/data/colour',
          reason: 'is not allowed; allowed: id, state, email, code, lines, pay, size, level, extra, pair',
        },
      ],
    ],
    [
      'a literal that is none of the union',
      { state: 'lost' },
      [{ path: '/data/state', reason: 'must be "open", "paid" or null' }],
    ],
    [
      'another type than all of the union',
      { size: [] },
      [{ path: '/data/size', reason: 'must be text or a whole number' }],
    ],
    [
      'a value beside the enum',
      { level: 'mid' },
      [{ path: '/data/level', reason: 'must be "low" or "high"' }],
    ],
    ['a wrong format', { email: 'nobody' }, [{ path: '/data/email', reason: 'must match format "email"' }]],
    [
      'two faults of one text',
      { code: 'ABCDEF' },
      [
        { path: '/data/code', reason: 'must not have more than 5 characters' },
        { path: '/data/code', reason: 'must match pattern "^[a-z]+$"' },
      ],
    ],
    [
      'faults within an array',
      {
        lines: [
          { 'sku/no': 'ab', count: 1 },
          { 'sku/no': 'a', count: '1' },
        ],
      },
      [
        { path: '/data/lines/1/sku~1no', reason: 'must not have fewer than 2 characters' },
        { path: '/data/lines/1/count', reason: 'must be a number' },
      ],
    ],
    [
      'too short an array',
      { lines: [] },
      [{ path: '/data/lines', reason: 'must not have fewer than 1 items' }],
    ],
    [
      'the alternative of a union that was meant',
      { pay: { by: 'bank', iban: 5, bic: 1 } },
      [
        { path: '/data/pay/bic', reason: 'is not allowed; allowed: by, iban' },
        { path: '/data/pay/iban', reason: 'must be text' },
      ],
    ],
    [
      'no alternative of a union',
      { pay: { by: 'cash' } },
      [{ path: '/data/pay', reason: 'has none of the 2 forms that are allowed here' }],
    ],
    [
      'binary data where an object belongs',
      { pay: OPAQUE },
      [{ path: '/data/pay', reason: 'must be an object' }],
    ],
    [
      'a tuple of the wrong length',
      { pair: [1] },
      [{ path: '/data/pair', reason: 'must not have fewer than 2 items' }],
    ],
    [
      'a big integer where a number belongs',
      { id: 2n ** 64n },
      [{ path: '/data/id', reason: 'must be a whole number' }],
    ],
  ];
  for (const [what, change, faults] of refused) {
    it(`names ${what}`, () => {
      const data = Object.fromEntries(
        Object.entries({ ...good, ...change }).filter(([, item]) => item !== undefined),
      );
      assert.equal(validator.check({ data }), false);
      assert.deepEqual(validator.faults({ data }), faults);
    });
  }

  it('names the faults of the data and of the envelope together', () => {
    assert.deepEqual(validator.faults({ data: 1, metadata: 1 }), [
      { path: '/data', reason: 'must be an object' },
      { path: '/metadata', reason: 'must be an object' },
    ]);
    assert.deepEqual(validator.faults({ data: good, more: 1 }), [
      { path: '/more', reason: 'is not allowed; allowed: data, metadata, delay, run_at' },
    ]);
    assert.equal(validator.check({ data: good, more: 1 }), false);
  });

  it('quotes no value of the body', () => {
    const data = {
      id: 'secret',
      state: 'secret',
      code: 'SECRET',
      lines: ['secret'],
      pay: { by: 'secret' },
      size: ['secret'],
    };
    assert.doesNotMatch(JSON.stringify(validator.faults({ data })), /secret/i);
  });

  it('tells at most 20 faults, and cuts long paths', () => {
    const lines = Array.from({ length: 100 }, () => ({ 'sku/no': 1, count: 'x' }));
    assert.equal(validator.faults({ data: { ...good, lines } }).length, 20);
    const [fault] = validator.faults({ data: { ...good, ['k'.repeat(10_000)]: 1 } });
    assert.ok((fault?.path.length ?? 0) < 600);
  });

  it('leaves the settings of TypeBox as they were', () => {
    const { maxErrors } = Settings.Get();
    validator.faults({ data: 1 });
    assert.equal(Settings.Get().maxErrors, maxErrors);
  });
});

describe('compileValidators', () => {
  it('refuses two task types of one name', () => {
    const type = defineTaskType('twice', Type.Null());
    assert.throws(() => compileValidators([type, type], 60), {
      code: 'INVALID_OPTIONS',
      message: 'taskTypes: two task types are named twice',
    });
  });

  it('refuses a schema that cannot be compiled and names its type', () => {
    const broken = defineTaskType('broken', Type.String({ pattern: '(' }) as TSchema);
    assert.throws(() => compileValidators([broken], 60), {
      code: 'INVALID_OPTIONS',
      message: /the schema of task type broken cannot be compiled/,
    });
  });

  it('knows no type that was not given', () => {
    assert.throws(() => compileValidators([], 60).of('nothing'), { code: 'UNKNOWN_TASK_TYPE' });
  });
});

function shown(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'symbol' ? 'binary data' : item));
}
