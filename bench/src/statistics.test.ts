import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spreadOf } from './statistics.js';

test('the median of an odd number of rounds is the middle one, sorted as numbers', () => {
  assert.deepEqual(spreadOf([100, 9, 20]), { median: 20, min: 9, max: 100 });
});

test('the median of an even number of rounds lies between the two in the middle', () => {
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
});

test('one round is its own median', () => {
  assert.deepEqual(spreadOf([7]), { median: 7, min: 7, max: 7 });
});

test('leaves the order of the rounds alone', () => {
  const rounds = [3, 1, 2];
  spreadOf(rounds);
  assert.deepEqual(rounds, [3, 1, 2]);
});

test('there is no median of nothing', () => {
  assert.throws(() => spreadOf([]), RangeError);
});
