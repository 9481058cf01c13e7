import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from './arrivals.js';

test('requests are due at even distances from the start', () => {
  const arrivals = new Arrivals(5000, 1000, 0, 2);
  assert.equal(arrivals.dueAt(0), 5000);
  assert.equal(arrivals.dueAt(1), 5001);
  assert.equal(arrivals.dueAt(1999), 6999);
});

test('has as many requests as rate and time ask for, those of the warm-up first', () => {
  const arrivals = new Arrivals(0, 30_000, 1, 5);
  assert.equal(arrivals.firstMeasured, 30_000);
  assert.equal(arrivals.total, 180_000);
});

test('the last of a million requests is not late by rounding', () => {
  const arrivals = new Arrivals(0, 48_611, 0, 25);
  const last = arrivals.total - 1;
  assert.ok(Math.abs(arrivals.dueAt(last) - (last / 48_611) * 1000) < 0.000_001);
});

test('a load without a request to measure is refused', () => {
  assert.throws(() => new Arrivals(0, 1, 3, 0.1), RangeError);
});
