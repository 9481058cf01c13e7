import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoardView, newBoard, ThreadBoard } from './thread-protocol.js';

function board(capacity: number) {
  const buffer = newBoard(capacity);
  return { thread: new ThreadBoard(buffer), supervisor: new BoardView(buffer) };
}

test('a new board is empty', () => {
  const { thread, supervisor } = board(3);
  assert.equal(thread.freeSlots, 3);
  assert.deepEqual(supervisor.held(), []);
});

test('the supervisor sees what the thread holds', () => {
  const { thread, supervisor } = board(2);
  thread.hold('1700000000000-12', 4, 3, 2, 1, 123.5);
  assert.deepEqual(supervisor.held(), [
    {
      id: '1700000000000-12',
      lane: 4,
      state: 'held',
      deliveries: 3,
      failed: 2,
      crashes: 1,
      heldSince: 123.5,
      timeoutMs: 0,
      current: false,
    },
  ]);
});

test('the longest id that Redis can make fits', () => {
  const { thread, supervisor } = board(2);
  const longest = '18446744073709551615-18446744073709551615';
  thread.hold(longest, 0, 1, 0, 0, 0);
  thread.hold('1-1', 0, 1, 0, 0, 0);
  assert.deepEqual(
    supervisor.held().map((entry) => entry.id),
    [longest, '1-1'],
  );
});

test('an entry goes from held to running to resolved or rejected, and its slot is free again', () => {
  const { thread, supervisor } = board(2);
  const states = () => supervisor.held().map((entry) => entry.state);
  const one = thread.hold('1-1', 0, 1, 0, 0, 0);
  const two = thread.hold('1-2', 0, 1, 0, 0, 0);
  assert.deepEqual(states(), ['held', 'held']);
  thread.start(one, 5000);
  assert.deepEqual(states(), ['running', 'held']);
  thread.finish(one, true);
  thread.finish(two, false);
  assert.deepEqual(states(), ['resolved', 'rejected']);
  assert.equal(thread.freeSlots, 0);
  thread.free(one);
  thread.free(two);
  assert.deepEqual(states(), []);
  assert.equal(thread.freeSlots, 2);
});

test('the task that is being called is the current one until it returns', () => {
  const { thread, supervisor } = board(2);
  const slot = thread.hold('1-1', 0, 1, 0, 0, 0);
  thread.start(slot, 5000);
  assert.deepEqual(
    supervisor.held().map(({ current, timeoutMs }) => ({ current, timeoutMs })),
    [{ current: true, timeoutMs: 5000 }],
  );
  thread.returned();
  assert.equal(supervisor.held()[0]?.current, false);
});

test('slots are used again, a short id after a long one too', () => {
  const { thread, supervisor } = board(1);
  for (const id of ['1700000000000-123', '5-1', '1700000000000-9']) {
    const slot = thread.hold(id, 0, 1, 0, 0, 0);
    assert.equal(supervisor.held()[0]?.id, id);
    thread.free(slot);
  }
});

test('the heartbeat changes, counters add up, running tasks are counted', () => {
  const { thread, supervisor } = board(2);
  const before = supervisor.heartbeat;
  thread.beat();
  assert.notEqual(supervisor.heartbeat, before);
  thread.count('read', 3);
  thread.count('done', 1);
  thread.count('done', 1);
  thread.start(thread.hold('1-1', 0, 1, 0, 0, 0), 1);
  assert.deepEqual(supervisor.counters(), { read: 3, done: 2, retried: 0, dead: 0, fenced: 0, running: 1 });
});
