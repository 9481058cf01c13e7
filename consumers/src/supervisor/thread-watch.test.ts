import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldEntry } from '../thread/thread-protocol.js';
import { HUNG_GRACE_MS, ThreadWatch } from './thread-watch.js';

function running(timeoutMs: number, current = false): HeldEntry {
  return {
    id: '1-1',
    lane: 0,
    state: 'running',
    deliveries: 1,
    failed: 0,
    crashes: 0,
    heldSince: 0,
    timeoutMs,
    current,
  };
}

/** For how long a thread whose heartbeat stands still is left alone, in steps of 250 ms. */
function patience(held: HeldEntry[], longestMs = 30_000): number {
  const watch = new ThreadWatch();
  for (let silent = 0; ; silent += 250) {
    if (watch.look(7, 250, () => held, longestMs) !== undefined) return silent;
  }
}

test('a thread whose heart beats is never hung, however long its tasks take', () => {
  const watch = new ThreadWatch();
  for (let beat = 0; beat < 1000; beat++) {
    assert.equal(
      watch.look(beat, 250, () => [running(10)], 10),
      undefined,
    );
  }
});

test('a silent thread is hung when the task being called has had its time and the grace', () => {
  assert.ok(Math.abs(patience([running(5000, true), running(60_000)]) - 5000 - HUNG_GRACE_MS) <= 500);
});

test('when no task is being called, the one with the most time sets the limit', () => {
  assert.ok(Math.abs(patience([running(5000), running(9000)]) - 9000 - HUNG_GRACE_MS) <= 500);
});

test('when no task runs at all, the longest timeout sets the limit', () => {
  assert.ok(Math.abs(patience([], 3000) - 3000 - HUNG_GRACE_MS) <= 500);
});

test('a beat after a long silence starts the count again', () => {
  const watch = new ThreadWatch();
  const look = (heartbeat: number) => watch.look(heartbeat, 250, () => [running(1000, true)], 1000);
  for (let i = 0; i < 7; i++) assert.equal(look(1), undefined);
  assert.equal(look(2), undefined);
  for (let i = 0; i < 7; i++) assert.equal(look(2), undefined);
});
