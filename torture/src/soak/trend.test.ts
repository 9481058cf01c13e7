import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowestPerWindow, slopeOf } from './trend.js';

test('the slope of a straight line is found through noise that cancels out', () => {
  const points = Array.from({ length: 100 }, (_, x) => [x, 3 + 2 * x + (x % 2 === 0 ? 5 : -5)] as const);
  assert.ok(Math.abs(slopeOf(points) - 2) < 0.05);
});

test('no slope without two points', () => {
  assert.ok(Number.isNaN(slopeOf([[1, 1]])));
});

test('garbage that is collected now and then does not hide what memory is left at', () => {
  // Falls to 10 at every tenth look, and climbs in between.
  const saw = Array.from({ length: 100 }, (_, x) => [x, 10 + (x % 10)] as const);
  assert.equal(slopeOf(lowestPerWindow(saw, 10)), 0);
  const leak = saw.map(([x, y]) => [x, y + x / 2] as const);
  assert.ok(Math.abs(slopeOf(lowestPerWindow(leak, 10)) - 0.5) < 0.01);
});
