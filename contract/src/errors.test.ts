import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeThrown, SluiceError } from './errors.js';

describe('SluiceError', () => {
  it('carries code, message, cause and details', () => {
    const cause = new Error('refused');
    const details = [{ path: '/data/id', reason: 'must be a string' }];
    const error = new SluiceError('VALIDATION_ERROR', 'the body is not valid', { cause, details });
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'SluiceError');
    assert.equal(error.code, 'VALIDATION_ERROR');
    assert.equal(error.cause, cause);
    assert.equal(error.details, details);
  });

  it('has no cause when none was given', () => {
    assert.equal('cause' in new SluiceError('NOT_FOUND', 'no such route'), false);
  });
});

describe('describeThrown', () => {
  it('gives name, message and stack of an error', () => {
    const error = new RangeError('too far');
    assert.deepEqual(describeThrown(error), { name: 'RangeError', message: 'too far', stack: error.stack });
  });

  const circular: Record<string, unknown> = { name: 'loop' };
  circular.self = circular;
  const unshowable = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no prototype for you');
      },
    },
  );
  const mute = {
    toString() {
      throw new Error('no text for you');
    },
  };
  const rude = { [Symbol.for('nodejs.util.inspect.custom')]: mute.toString };

  for (const [what, thrown, name, message] of [
    ['null', null, 'ThrownNull', /^null$/],
    ['undefined', undefined, 'ThrownUndefined', /^undefined$/],
    ['a string', 'out of paper', 'ThrownString', /^out of paper$/],
    ['the empty string', '', 'ThrownString', /^$/],
    ['a number', 404, 'ThrownNumber', /^404$/],
    ['a bigint', 10n, 'ThrownBigint', /^10$/],
    ['a symbol', Symbol('stop'), 'ThrownSymbol', /^Symbol\(stop\)$/],
    ['a function', () => 1, 'ThrownFunction', /^\(\) => 1$/],
    ['an object', { code: 5 }, 'ThrownObject', /^{ code: 5 }$/],
    ['a circular object', circular, 'ThrownObject', /name: 'loop', self: \[Circular/],
    ['an object whose toString throws', mute, 'ThrownObject', /toString/],
    ['an object without a prototype', Object.create(null), 'ThrownObject', /null prototype/],
    [
      'an object that throws when it is shown',
      rude,
      'ThrownObject',
      /^a value that cannot be shown as text$/,
    ],
    ['a proxy that throws when it is touched', unshowable, 'ThrownObject', /^a value that cannot be shown/],
  ] as const) {
    it(`describes ${what}`, () => {
      const described = describeThrown(thrown);
      assert.equal(described.name, name);
      assert.match(described.message, message);
      assert.equal(described.stack, '');
    });
  }

  it('shows no more than the beginning of a large object', () => {
    const large = { text: 'x'.repeat(100_000), list: Array.from({ length: 10_000 }, (_, i) => i) };
    assert.ok(describeThrown(large).message.length < 2000);
  });

  it('gives text even where an error holds something else', () => {
    const error = Object.assign(new Error('x'), { name: 7, message: { a: 1 }, stack: undefined });
    assert.deepEqual(describeThrown(error), { name: '7', message: '[object Object]', stack: '' });
    const throwing = Object.defineProperty(new Error('x'), 'message', { get: mute.toString });
    assert.equal(describeThrown(throwing).message, 'a value that cannot be shown as text');
  });
});
