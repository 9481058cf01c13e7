import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.js';

const backoff = { baseMs: 1000, maxMs: 60_000, jitter: 0.2 };

test('the wait doubles with every failure', () => {
  const waits = [1, 2, 3, 4].map((failed) => backoffMs(backoff, failed, 0));
  assert.deepEqual(waits, [1000, 2000, 4000, 8000]);
});

test('no wait grows beyond the maximum, however often a task has failed', () => {
  assert.equal(backoffMs(backoff, 7, 0), 60_000);
  assert.equal(backoffMs(backoff, 5000, 0), 60_000);
});

test('jitter only adds, up to its fraction', () => {
  assert.equal(backoffMs(backoff, 1, 0), 1000);
  assert.equal(backoffMs(backoff, 1, 0.5), 1100);
  assert.ok(backoffMs(backoff, 1, 0.999999) <= 1200);
  assert.ok(backoffMs(backoff, 9, 0.999999) <= 72_000);
});
