import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf } from '@sluice/telemetry';
import { TaskMetrics } from './task-metrics.js';

test('what a thread counts is seen by whoever has its memory, by lane', () => {
  const thread = new TaskMetrics(2);
  const main = new TaskMetrics(2, thread.memory);
  thread.waited(1, 0.2);
  thread.ran(1, true, 0.01);
  thread.ran(1, false, 3);
  thread.settled(1, 'retried', 4);
  thread.happened(1, 'timeouts');
  thread.is(1, 'running', 7);
  assert.equal(countOf(main.wait(1)), 1);
  assert.deepEqual([countOf(main.duration(1, 'done')), countOf(main.duration(1, 'failed'))], [1, 1]);
  assert.equal(main.duration(1, 'failed').at(-1), 3);
  assert.deepEqual(
    [main.outcome(1, 'retried'), main.count(1, 'timeouts'), main.state(1, 'running')],
    [4, 1, 7],
  );
  assert.deepEqual([main.outcome(0, 'retried'), countOf(main.wait(0)), countOf(main.delay)], [0, 0, 0]);
});

test('threads are summed; of their breakers the most severe counts', () => {
  const [one, other, sum] = [new TaskMetrics(1), new TaskMetrics(1), new TaskMetrics(1)];
  for (const [thread, breaker] of [
    [one, 2],
    [other, 1],
  ] as const) {
    thread.ran(0, true, 1);
    thread.settled(0, 'done', 10);
    thread.is(0, 'running', 3);
    thread.is(0, 'breaker', breaker);
    sum.addAll(thread);
  }
  assert.deepEqual([countOf(sum.duration(0, 'done')), sum.outcome(0, 'done')], [2, 20]);
  assert.deepEqual([sum.state(0, 'running'), sum.state(0, 'breaker')], [6, 2]);
});

test('of a thread that has ended, what it counted stays, and what it was doing does not', () => {
  const past = new TaskMetrics(1);
  past.settled(0, 'done', 2);
  past.is(0, 'running', 3);
  past.is(0, 'waiting', 1);
  past.forgetStates();
  assert.deepEqual([past.outcome(0, 'done'), past.state(0, 'running'), past.state(0, 'waiting')], [2, 0, 0]);
});
