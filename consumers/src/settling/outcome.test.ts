import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryAfter, Unrecoverable } from '../handlers/errors.js';
import { outcomeOfCrash, outcomeOfFailure, outcomeOfPoison } from './outcome.js';

const policy = { maxAttempts: 3, backoff: { baseMs: 1000, maxMs: 60_000, jitter: 0.2 } };
const fresh = { failed: 0, crashes: 0 };

test('a failure is retried until the attempts are used up', () => {
  const outcomes = [0, 1, 2].map((failed) =>
    outcomeOfFailure(new Error('no'), { failed, crashes: 0 }, policy, 0),
  );
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === 'retry' ? outcome.delayMs : outcome.reason)),
    [1000, 2000, 'attempts-exhausted'],
  );
});

test('crashes do not count against a task that fails by itself', () => {
  assert.equal(outcomeOfFailure(new Error('no'), { failed: 0, crashes: 5 }, policy).kind, 'retry');
});

test('Unrecoverable is dead at once, with its attempts', () => {
  const outcome = outcomeOfFailure(new Unrecoverable('gone for good'), fresh, policy);
  assert.deepEqual(outcome.kind === 'dead' && { reason: outcome.reason, attempts: outcome.attempts }, {
    reason: 'unrecoverable',
    attempts: 1,
  });
});

test('RetryAfter takes the place of the back-off, without jitter', () => {
  const outcome = outcomeOfFailure(new RetryAfter(12_345.2), fresh, policy, 0.9);
  assert.equal(outcome.kind === 'retry' && outcome.delayMs, 12_346);
});

test('RetryAfter cannot put a task off for ever', () => {
  const outcome = outcomeOfFailure(new RetryAfter(1), { failed: 2, crashes: 0 }, policy);
  assert.equal(outcome.kind === 'dead' && outcome.reason, 'attempts-exhausted');
});

test('RetryAfter refuses times that cannot be meant', () => {
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => new RetryAfter(ms), RangeError);
});

test('an error of another copy of this package means the same', () => {
  const foreign = Object.assign(new Error('no'), { [Symbol.for('sluice.unrecoverable')]: true });
  assert.equal(outcomeOfFailure(foreign, fresh, policy).kind, 'dead');
});

test('a task that brought its thread down has as many runs as it has attempts', () => {
  assert.equal(outcomeOfCrash(new Error('died'), { failed: 0, crashes: 0 }, policy).kind, 'retry');
  assert.equal(outcomeOfCrash(new Error('died'), { failed: 0, crashes: 1 }, policy).kind, 'retry');
  const third = outcomeOfCrash(new Error('died'), { failed: 1, crashes: 1 }, policy);
  assert.equal(third.kind === 'dead' && third.reason, 'crashed');
});

test('poison was never attempted', () => {
  const outcome = outcomeOfPoison('undecodable', new Error('no JSON'), fresh);
  assert.equal(outcome.attempts, 0);
  assert.equal(outcome.evidence.message, 'no JSON');
});

test('whatever is thrown leaves evidence, and none of it can break the settling', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('no look');
    },
  });
  const misnamed = Object.assign(new Error('x'), { name: 42, message: { not: 'text' } });
  for (const thrown of [
    null,
    undefined,
    'text',
    10n,
    Symbol('s'),
    circular,
    Object.create(null),
    hostile,
    misnamed,
  ]) {
    const outcome = outcomeOfFailure(thrown, { failed: 2, crashes: 0 }, policy);
    assert.equal(outcome.kind, 'dead');
    assert.equal(typeof outcome.evidence.name, 'string');
    assert.equal(typeof outcome.evidence.message, 'string');
  }
});

test('evidence is cut to what helps to understand', () => {
  const { evidence } = outcomeOfFailure(new Error('x'.repeat(1_000_000)), fresh, policy);
  assert.ok(evidence.message.length < 5000);
  assert.ok(evidence.stack.length < 20_000);
  assert.match(evidence.message, /1000000 characters/);
});
