import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramOf, latencyOf, merged } from './latency.js';

function microseconds(count: number, value: number): number[] {
  return new Array<number>(count).fill(value);
}

/** A histogram of 3 significant digits may be off by 0.1 %. */
function closeTo(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= expected * 0.001, `${actual} is not ${expected}`);
}

test('states percentiles in milliseconds', () => {
  const latency = latencyOf(histogramOf([...microseconds(989, 250), ...microseconds(9, 900), 5000, 70_000]));
  closeTo(latency.p50, 0.25);
  closeTo(latency.p99, 0.9);
  closeTo(latency.p999, 5);
  closeTo(latency.max, 70);
});

test('merges rounds instead of averaging their percentiles', () => {
  const calm = histogramOf(microseconds(9000, 100));
  const stalled = histogramOf([...microseconds(950, 100), ...microseconds(50, 20_000)]);
  const latency = latencyOf(merged([calm, stalled]));
  closeTo(latency.p99, 0.1); // 0.5 % of all are slow; the average of the two p99 would be 10 ms
  closeTo(latency.p999, 20);
});

test('counts an answer within the same microsecond as one of a microsecond', () => {
  closeTo(latencyOf(histogramOf([0])).max, 0.001);
});
