import assert from 'node:assert/strict';
import { test } from 'node:test';
import { laneKeys } from '../redis/group.js';
import { breakerEvent, LaneBreaker } from './breaker.js';

const policy = {
  failureRate: 0.5,
  minimumFailures: 20,
  windowMs: 10_000,
  openMs: 5000,
  openMaxMs: 30_000,
  probes: 5,
};
const [keys] = laneKeys('tasks:stream', 'group', ['push']);

const runs = (...rounds: number[]) => rounds.map((round) => ({ round }));

test('runs that ended well are told once', () => {
  const breaker = new LaneBreaker(policy);
  breaker.succeeded(runs(0, 0, 0));
  assert.deepEqual(breaker.takeNews(), { policy: '0.5 20 10000 5000 30000 5', successes: 3 });
  assert.equal(breaker.takeNews().successes, 0);
});

test('without a policy it is closed, whatever others do', () => {
  const breaker = new LaneBreaker();
  assert.equal(breaker.policy, '');
  assert.equal(breaker.closed, true);
});

test('a round is over once it is heard that the breaker has closed', () => {
  const breaker = new LaneBreaker(policy);
  assert.equal(breaker.roundOver, 0);
  for (const [state, over] of [
    ['open', 0],
    ['half-open', 0],
    ['closed', 1],
  ] as const) {
    breaker.learn([state, 1, 0, '', 0, 0]);
    assert.equal(breaker.roundOver, over, state);
  }
  breaker.learn(['half-open', 2, 0, '', 0, 0]);
  assert.equal(breaker.roundOver, 1);
});

test('only probes of the present round speak for it', () => {
  const breaker = new LaneBreaker(policy);
  breaker.learn(['half-open', 3, 0, '', 0, 0]);
  breaker.succeeded(runs(3, 0, 2, 3));
  const { probeSuccesses, round } = breaker.takeAllNews();
  assert.deepEqual({ probeSuccesses, round }, { probeSuccesses: 2, round: 3 });
  breaker.succeeded(runs(3));
  breaker.learn(['open', 4, 500, '', 0, 0]);
  assert.equal(breaker.takeAllNews().probeSuccesses, 0);
});

test('it knows when something has changed', () => {
  const breaker = new LaneBreaker(policy);
  assert.equal(breaker.learn(['closed', 0, 0, '', 0, 0]), false);
  assert.equal(breaker.learn(['open', 1, 500, 'opened', 20, 1]), true);
  assert.equal(breaker.closed, false);
  assert.equal(breaker.learn(['open', 1, 300, '', 0, 0]), false);
  assert.equal(breaker.learn(['open', 2, 500, '', 0, 0]), true);
});

test('whoever changes it reports it, and nobody else', () => {
  assert.ok(keys);
  assert.equal(breakerEvent(['open', 1, 500, '', 0, 0], keys), undefined);
  assert.deepEqual(breakerEvent(['open', 1, 500, 'opened', 20, 1], keys), {
    type: 'breaker-opened',
    stream: 'tasks:stream:push',
    taskType: 'push',
    failed: 20,
    succeeded: 1,
    openMs: 500,
  });
});
