import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldEntry } from '../thread/thread-protocol.js';
import { aftermathOf } from './aftermath.js';

const policies = [{ maxAttempts: 3, backoff: { baseMs: 1000, maxMs: 60_000, jitter: 0 } }];
const died = { kind: 'died', detail: 'exit code 1' } as const;
const hung = { kind: 'hung', silentMs: 6000 } as const;

let sequence = 0;
function entry(state: HeldEntry['state'], more: Partial<HeldEntry> = {}): HeldEntry {
  sequence += 1;
  return {
    id: `1-${sequence}`,
    lane: 0,
    state,
    deliveries: 1,
    failed: 0,
    crashes: 0,
    heldSince: 0,
    timeoutMs: 1000,
    current: false,
    ...more,
  };
}

function after(held: HeldEntry[], end: Parameters<typeof aftermathOf>[1]) {
  const lane = aftermathOf(held, end, policies).get(0);
  assert.ok(lane);
  return lane;
}

test('what was delivered and not started has not been run', () => {
  const waiting = entry('held');
  assert.deepEqual(after([waiting], died).toRelease, [{ id: waiting.id, reason: 'unstarted' }]);
});

test('a task whose handler had resolved is done', () => {
  const resolved = entry('resolved');
  assert.deepEqual(after([resolved], died).done, [resolved.id]);
});

test('one that blocked its thread has timed out, one that brought it down has not', () => {
  const culprit = entry('running', { current: true });
  assert.equal(after([culprit, entry('running'), entry('rejected')], hung).timedOut, 1);
  assert.equal(after([culprit, entry('running')], died).timedOut, 0);
  assert.equal(after([entry('running'), entry('running')], hung).timedOut, 0, 'nobody knows which');
});

test('only a failure that its thread knew of may have been written by it', () => {
  const { toPark } = after([entry('running', { current: true }), entry('rejected')], hung);
  assert.deepEqual(
    toPark.map(({ maybeWritten }) => maybeWritten),
    [false, true],
  );
});

test('the task that was being called has failed, the others are excused', () => {
  const culprit = entry('running', { current: true });
  const neighbour = entry('running');
  const { toPark, toRelease } = after([culprit, neighbour], hung);
  assert.deepEqual(
    toPark.map(({ id, delayMs }) => ({ id, delayMs })),
    [{ id: culprit.id, delayMs: 1000 }],
  );
  assert.match(toPark[0]?.error ?? '', /blocked its thread for 6000 ms/);
  assert.deepEqual(toRelease, [{ id: neighbour.id, reason: 'excused' }]);
});

test('the only task that ran is the one', () => {
  const culprit = entry('running', { failed: 1, crashes: 1 });
  const { toBury } = after([culprit], died);
  assert.equal(toBury[0]?.outcome.reason, 'crashed');
  assert.equal(toBury[0]?.outcome.evidence.name, 'ThreadDied');
});

test('among many, the only one that was suspected before is the one', () => {
  const suspect = entry('running', { crashes: 2 });
  const { toBury, toRelease } = after([entry('running'), suspect, entry('running')], died);
  assert.deepEqual(
    toBury.map(({ id }) => id),
    [suspect.id],
  );
  assert.deepEqual(
    toRelease.map(({ reason }) => reason),
    ['excused', 'excused'],
  );
});

test('when it cannot be told which one it was, each may have been', () => {
  const { toRelease } = after([entry('running'), entry('running')], died);
  assert.deepEqual(
    toRelease.map(({ reason }) => reason),
    ['crashed', 'crashed'],
  );
});

test('an attempt that had failed counts, though nobody knows why any more', () => {
  const { toPark } = after([entry('rejected')], died);
  assert.match(toPark[0]?.error ?? '', /OutcomeUnsaved/);
});

test('nobody is to blame when the thread was stopped', () => {
  const { toRelease, toPark } = after([entry('running', { current: true })], { kind: 'stopped' });
  assert.deepEqual(
    toRelease.map(({ reason }) => reason),
    ['excused'],
  );
  assert.deepEqual(toPark, []);
});
