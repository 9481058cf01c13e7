import assert from 'node:assert/strict';
import { test } from 'node:test';
import { laneKeys } from '../redis/group.js';
import { Entry, Lane } from './entry.js';
import { Lanes } from './lanes.js';

function lanesOf(limits: readonly number[], limit: number) {
  const types = limits.map((_, index) => `type-${index}`);
  const all = laneKeys('tasks:stream', 'group', types).map(
    (keys, index) => new Lane(index, keys, limits[index] ?? 0),
  );
  const lanes = new Lanes(all, limit);
  let sequence = 0;
  const fill = (lane: number, count: number) => {
    for (let i = 0; i < count; i++) {
      sequence += 1;
      lanes.add(new Entry(`1-${sequence}`, all[lane] as Lane, sequence, [], 1, 0, 0)); // a lane of this test
    }
  };
  const start = () => {
    const started: Entry[] = [];
    for (let next = lanes.next(); next !== undefined; next = lanes.next()) started.push(next);
    return started;
  };
  return { lanes, all, fill, start };
}

const indexes = (entries: readonly Entry[]) => entries.map((entry) => entry.lane.index);

test('lanes take turns', () => {
  const { fill, start } = lanesOf([10, 10], 10);
  fill(0, 3);
  fill(1, 3);
  assert.deepEqual(indexes(start()), [0, 1, 0, 1, 0, 1]);
});

test('entries of a lane start in the order they came', () => {
  const { fill, start } = lanesOf([10], 10);
  fill(0, 3);
  assert.deepEqual(
    start().map((entry) => entry.id),
    ['1-1', '1-2', '1-3'],
  );
});

test('no more run than the thread and the lane allow', () => {
  const { lanes, fill, start } = lanesOf([2, 10], 5);
  fill(0, 9);
  fill(1, 9);
  const started = indexes(start());
  assert.equal(started.length, 5);
  assert.equal(started.filter((lane) => lane === 0).length, 2);
  assert.equal(lanes.running, 5);
});

test('a place is kept free for a lane that runs nothing', () => {
  const { fill, start } = lanesOf([100, 100], 100);
  fill(0, 200);
  assert.equal(start().length, 99);
  fill(1, 5);
  assert.deepEqual(indexes(start()), [1]);
});

test('few places are not kept empty for lanes without tasks', () => {
  const { fill, start } = lanesOf([3, 3, 3, 3], 3);
  fill(0, 9);
  assert.equal(start().length, 3);
});

test('a place that becomes free is given to what waits', () => {
  const { lanes, all, fill, start } = lanesOf([1], 1);
  fill(0, 2);
  assert.equal(start().length, 1);
  lanes.finished(all[0] as Lane); // there is one
  assert.deepEqual(
    start().map((entry) => entry.id),
    ['1-2'],
  );
});

test('reads what could be started at once, and waits in Redis when there is nothing', () => {
  const { lanes, all } = lanesOf([10, 10], 10);
  assert.deepEqual(lanes.plan(100, 1000, 0), { lanes: all, count: 5, block: true });
});

test('does not read without room', () => {
  const { lanes, fill, start } = lanesOf([4], 4);
  fill(0, 4);
  assert.equal(lanes.plan(100, 1000, 0), undefined);
  start();
  assert.equal(lanes.plan(100, 1000, 0), undefined);
});

test('does not read more than slots are free', () => {
  const { lanes } = lanesOf([500], 500);
  assert.equal(lanes.plan(100, 7, 0)?.count, 7);
  assert.equal(lanes.plan(100, 0, 0), undefined);
});

test('leaves out a lane without room', () => {
  const { lanes, all, fill, start } = lanesOf([1, 100], 100);
  fill(0, 1);
  start();
  assert.deepEqual(lanes.plan(100, 1000, 0)?.lanes, [all[1]]);
});

test('leaves out a lane that cannot be read for now', () => {
  const { lanes, all } = lanesOf([10, 10], 10);
  (all[0] as Lane).unreadableUntil = 5; // there are two
  assert.deepEqual(lanes.plan(100, 1000, 4)?.lanes, [all[1]]);
  assert.equal(lanes.plan(100, 1000, 5)?.lanes.length, 2);
});

test('leaves a lane to what is due there when that found no place, every other time', () => {
  const { lanes, all } = lanesOf([5, 5], 10);
  const [first] = all as [Lane];
  first.dueWaiting = true;
  assert.deepEqual(lanes.plan(10, 100, 0)?.lanes, [all[1]]);
  first.next = 'new';
  assert.deepEqual(lanes.plan(10, 100, 0)?.lanes, all);
});

test('a full lane is read on its own every other turn, and not held back by the room of others', () => {
  const { lanes, all } = lanesOf([1, 100], 100);
  (all[1] as Lane).mayHaveMore = true; // there are two
  const plans = [1, 2].map(() => lanes.plan(50, 1000, 0));
  const alone = plans.find((plan) => plan?.lanes.length === 1);
  const together = plans.find((plan) => plan?.lanes.length === 2);
  assert.deepEqual(alone, { lanes: [all[1]], count: 50, block: false });
  assert.deepEqual(together, { lanes: all, count: 1, block: true });
});

test('what waits can be taken out', () => {
  const { lanes, all, fill } = lanesOf([10, 10], 10);
  fill(0, 2);
  fill(1, 1);
  assert.equal(lanes.takeWaiting(all).length, 3);
  assert.equal(lanes.waiting, 0);
  assert.equal(lanes.next(), undefined);
});
