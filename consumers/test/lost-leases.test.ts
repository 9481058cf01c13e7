import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningProcess } from '@sluice/testbed';
import { waitFor } from '@sluice/testbed';
import { type Fixture, SHORT_LEASE, setUp, soon } from './fixture.js';

const TASKS = 5;
/** Longer than it takes to freeze a process, on a machine that stands still for a while. */
const OUT_OF_TIME_MS = 5000;
const LEASE_MS = SHORT_LEASE.leaseSeconds * 1000;
const ONE_THREAD = { ...SHORT_LEASE, threads: 1 };

/**
 * Freezes a process past its lease while its tasks wait for their signals, lets another process take them over and
 * finish them, and thaws the first.
 */
async function thawed(queue: Fixture, env: Record<string, string> = {}): Promise<RunningProcess> {
  const frozen = await queue.consumeInProcess({ ...ONE_THREAD, taskTimeoutSeconds: 600 }, env);
  await queue.appendScripts(TASKS, { do: 'wait-for-abort', until: 1 });
  await queue.until('start', TASKS);
  frozen.signal('SIGSTOP');
  await queue.consume(ONE_THREAD);
  await queue.drained();
  frozen.signal('SIGCONT');
  return frozen;
}

/**
 * Freezes a process just when Redis gives it a task, lets another process take that over and finish it, and thaws the
 * first. Returns the id of the task.
 */
async function thawedWithDelivery(queue: Fixture, env: Record<string, string> = {}): Promise<string> {
  const frozen = await queue.consumeInProcess(ONE_THREAD, env);
  let taskId = '';
  // A read that ends in Redis before the task comes is no delivery: then once more.
  for (let pending = 0; pending === 0; ) {
    frozen.signal('SIGSTOP');
    taskId = await queue.appendScript();
    [pending] = (await queue.redis.xpending('tasks:stream', 'processors')) as [number];
    if (pending > 0) break;
    frozen.signal('SIGCONT');
    await queue.drained();
  }
  const { consumer } = await queue.consume(ONE_THREAD);
  await queue.drained();
  await consumer.stop();
  frozen.signal('SIGCONT');
  return taskId;
}

// They wait for leases to run out, each on a Redis of its own.
describe('leases that were lost', { concurrency: 3 }, () => {
  test('handlers whose tasks were taken over while their process was frozen are told so when it thaws', async (t) => {
    const queue = await setUp(t);
    const frozen = await thawed(queue);
    await queue.until('aborted', TASKS);
    const told = queue.lines().filter((line) => line.event === 'aborted');
    assert.deepEqual(
      told.map(({ pid, attempt, reason }) => ({ pid, attempt, reason })),
      Array(TASKS).fill({ pid: frozen.pid, attempt: 1, reason: 'LeaseLost' }),
    );
    const said = (what: string) => frozen.output().split(what).length - 1;
    await soon('the late outcomes to be fenced off', () => said('"type":"outcome-fenced"') === TASKS);
    assert.equal(said('"type":"leases-lost"'), 1);
    assert.deepEqual(await queue.ledger(), { taken_over: TASKS, done: TASKS });
  });

  test('negative control: without the notice, handlers go on with tasks that are no longer theirs', async (t) => {
    const queue = await setUp(t);
    await thawed(queue, { CONSUMER_BREAK: 'no-lease-notice' });
    await pause(2 * LEASE_MS); // six renewals, any of which would have told
    assert.deepEqual(queue.ids('aborted'), []);
  });

  test('a task that ran out of time while its process was frozen is told of the lost lease, not of its time', async (t) => {
    const queue = await setUp(t);
    const frozen = await queue.consumeInProcess({
      ...ONE_THREAD,
      taskTimeoutSeconds: OUT_OF_TIME_MS / 1000,
    });
    await queue.appendScripts(TASKS, { do: 'wait-for-abort', until: 1 });
    await queue.until('start', TASKS);
    const startedAt = performance.now();
    frozen.signal('SIGSTOP');
    await queue.consume(ONE_THREAD);
    await queue.drained();
    await pause(Math.max(0, startedAt + OUT_OF_TIME_MS - performance.now())); // until its time is over as well
    frozen.signal('SIGCONT');
    await queue.until('aborted', TASKS);
    const reasons = queue.lines().filter((line) => line.event === 'aborted');
    assert.deepEqual(
      reasons.map(({ reason }) => reason),
      Array(TASKS).fill('LeaseLost'),
    );
    assert.deepEqual(await queue.ledger(), { taken_over: TASKS, done: TASKS });
  });

  test('a task that somebody else has claimed is told within a renewal, and its failure burns no attempt', async (t) => {
    const queue = await setUp(t);
    const { consumer, events } = await queue.consume(ONE_THREAD);
    await queue.appendScript({ do: 'wait-for-abort', until: 1 });
    await queue.until('start', 1);
    const [entry] = await queue.redis.xrange('tasks:stream', '-', '+');
    await queue.redis.xclaim('tasks:stream', 'processors', 'somebody', 0, entry?.[0] ?? '', 'JUSTID');
    await queue.until('aborted', 1);
    await waitFor(() => consumer.counters.fenced === 1, {
      timeoutMs: 60_000,
      what: 'the outcome to be fenced off',
    });
    assert.ok(events.some((event) => event.type === 'leases-lost' && event.entryIds[0] === entry?.[0]));
    // Somebody never comes back: it is taken over from them like from anybody.
    await queue.drained();
    assert.deepEqual(await queue.ledger(), { taken_over: 1, done: 1 });
  });

  test('a task that was delivered to a frozen process, and done by another one since, is not started when it thaws', async (t) => {
    const queue = await setUp(t);
    const taskId = await thawedWithDelivery(queue);
    const next = await queue.appendScript();
    await soon('the thawed process to work', () => queue.ids('end').includes(next));
    assert.equal(queue.ids('start').filter((id) => id === taskId).length, 1);
  });

  test('negative control: a process that starts what was delivered long ago runs it again', async (t) => {
    const queue = await setUp(t);
    const taskId = await thawedWithDelivery(queue, { CONSUMER_BREAK: 'start-late' });
    await soon(
      'the task to be started twice',
      () => queue.ids('start').filter((id) => id === taskId).length === 2,
    );
  });
});
