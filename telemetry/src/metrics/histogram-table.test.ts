import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf, HistogramTable } from './histogram-table.js';

test('a value counts in the first bucket whose bound it does not exceed', () => {
  const table = new HistogramTable([1, 2, 5], 2);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, 100]) table.record(1, value);
  assert.deepEqual([...table.copyOf(1)], [2, 2, 1, 2, 114.6]);
  assert.deepEqual([...table.copyOf(0)], [0, 0, 0, 0, 0]);
  assert.equal(countOf(table.copyOf(1)), 7);
});

test('rows of several tables are merged by adding them', () => {
  const [one, other] = [new HistogramTable([1, 2], 1), new HistogramTable([1, 2], 1)];
  one.record(0, 0.5);
  other.record(0, 1.5, 3);
  one.add(0, other.copyOf(0));
  assert.deepEqual([...one.copyOf(0)], [1, 3, 0, 5]);
});

test('rows can lie in memory that threads share', () => {
  const shared = new SharedArrayBuffer(16 + 2 * 4 * 8);
  const writer = new HistogramTable([1, 2], 2, shared, 16);
  const reader = new HistogramTable([1, 2], 2, shared, 16);
  writer.record(1, 1.5);
  assert.equal(countOf(reader.copyOf(1)), 1);
});
