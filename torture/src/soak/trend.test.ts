import assert from 'node:assert/strict';
import { test } from 'node:test';
import { riseOf, slopeOf } from './trend.js';

test('the slope of a straight line is found through noise that cancels out', () => {
  const points = Array.from({ length: 100 }, (_, x) => [x, 3 + 2 * x + (x % 2 === 0 ? 5 : -5)] as const);
  assert.ok(Math.abs(slopeOf(points) - 2) < 0.05);
});

test('no slope without two points', () => {
  assert.ok(Number.isNaN(slopeOf([[1, 1]])));
});

test('a rise is told from a peak on the way', () => {
  assert.equal(riseOf([10, 10, 10, 10, 90, 90, 10, 10, 10, 10]), 0);
  assert.equal(riseOf([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]), 9);
});
