import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { defineTaskType, SluiceError } from '@sluice/contract';
import type { ConsumerEvent } from '@sluice/telemetry';
import { Type } from 'typebox';
import { RetryAfter } from '../handlers/errors.js';
import { defineHandler, type HandlerFunction } from '../handlers/handler.js';
import type { HandlerPolicy } from '../handlers/handler-policy.js';
import { createTestQueue } from './create-test-queue.js';

const mail = defineTaskType('mail', Type.Object({ to: Type.String() }));

/** A queue with one handler of untyped tasks. */
function queueOf(run: HandlerFunction<unknown>, options = {}, policy: HandlerPolicy = {}) {
  return createTestQueue({ handlers: [defineHandler('default', run, policy)], ...options });
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

describe('a test queue', () => {
  it('runs nothing before it is told to', async () => {
    let called = 0;
    const queue = await queueOf(() => {
      called += 1;
    });
    const task = queue.add('default', null);
    assert.equal(task.state, 'waiting');
    await queue.runDue();
    assert.equal(task.state, 'done');
    assert.equal(called, 1);
  });

  it('hands typed data to a handler that closes over the test', async () => {
    const sent: string[] = [];
    const handler = defineHandler(mail, (task) => {
      sent.push(task.data.to);
    });
    const queue = await createTestQueue({ handlers: { mail: handler } });
    queue.add(mail, { to: 'a' });
    queue.add('mail', { to: 'b' });
    await queue.drain();
    assert.deepEqual(sent, ['a', 'b']);
  });

  it('loads handler modules as a consumer does', async () => {
    const module = `data:text/javascript,${encodeURIComponent(
      'export default { taskType: "default", schema: undefined, policy: {}, run() { throw new Error("as built") } }',
    )}`;
    const queue = await createTestQueue({ handlers: { default: module }, maxAttempts: 1 });
    const task = queue.add('default', 1);
    await queue.drain();
    assert.equal(task.deadLetter?.error_message, 'as built');
    await assert.rejects(createTestQueue({ handlers: { default: './no-such-module.js' } }), {
      code: 'HANDLER_MODULE',
    });
  });

  it('refuses data that the engine would refuse, types nobody handles, and wrong options', async () => {
    const queue = await createTestQueue({ handlers: [defineHandler(mail, () => undefined)] });
    // @ts-expect-error: the type of the data is that of the schema
    assert.throws(() => queue.add(mail, { to: 7 }), {
      code: 'VALIDATION_ERROR',
      message: /\/to must be string/,
    });
    assert.throws(() => queue.add('mail', {}), { code: 'VALIDATION_ERROR' });
    assert.throws(() => queue.add('sms', {}), { code: 'UNKNOWN_TASK_TYPE', message: /there are: mail/ });
    await assert.rejects(createTestQueue({ handlers: {} }), { code: 'INVALID_OPTIONS' });
    const twice = [defineHandler(mail, () => undefined), defineHandler(mail, () => undefined)];
    await assert.rejects(createTestQueue({ handlers: twice }), { code: 'INVALID_OPTIONS' });
    await assert.rejects(createTestQueue({ handlers: twice.slice(1), maxAttempts: 0 }), {
      code: 'INVALID_OPTIONS',
    });
    await assert.rejects(queue.advance(-1), { code: 'INVALID_OPTIONS' });
    await assert.rejects(queue.join({ handlers: twice.slice(1) }), { code: 'INVALID_OPTIONS' });
  });

  it('waits in virtual time only, and for exactly the back-off', async () => {
    const queue = await queueOf(() => Promise.reject(new Error('down')), {
      backoffBaseSeconds: 3600,
      backoffMaxSeconds: 5400,
    });
    const task = queue.add('default', 1);
    await queue.drain();
    const [first = 0, ...others] = task.runs.map((run) => run.startedAt);
    assert.deepEqual(
      others.map((at) => at - first),
      [3_600_000, 9_000_000],
    );
    assert.equal(task.deadLetter?.last_failed_at, '2026-01-01T02:30:00.000Z');
  });

  it('shows between two attempts that a task is parked, and until when', async () => {
    const queue = await queueOf((task) => {
      if (task.attempt === 1) throw new RetryAfter(60_000, 'busy');
    });
    const task = queue.add('default', 1);
    await queue.runDue();
    assert.equal(task.state, 'parked');
    assert.equal(task.dueAt, queue.now + 60_000);
    assert.deepEqual(
      task.failures.map(({ name, message }) => `${name}: ${message}`),
      ['RetryAfter: busy'],
    );
    await queue.advance(59_999);
    assert.equal(task.attempts, 1);
    await queue.advance(1);
    assert.equal(task.state, 'done');
  });

  it('adds the jitter that chance wants', async () => {
    const queue = await queueOf(() => Promise.reject(new Error('down')), { random: () => 0.5 });
    const task = queue.add('default', 1);
    await queue.drain();
    const [first = 0, second = 0] = task.runs.map((run) => run.startedAt);
    assert.equal(second - first, 1100);
  });

  it('shows what a signal did, and whether the handler asked for it', async () => {
    const queue = await queueOf((task, context) =>
      task.attempt === 1 ? untilAborted(context.signal) : undefined,
    );
    const task = queue.add('default', 1);
    await queue.drain();
    const [hung, quick] = task.runs;
    assert.equal(hung?.end, 'timed-out');
    assert.equal(hung?.signal?.aborted, true);
    assert.equal(hung?.signal?.reason.name, 'TaskTimeout');
    assert.equal((hung?.endedAt ?? 0) - (hung?.startedAt ?? 0), 30_000);
    assert.equal(quick?.end, 'resolved');
    assert.equal(quick?.signal, undefined);
  });

  it('waits in real time for a handler that waits for something real', async () => {
    const queue = await queueOf(() => pause(400));
    const task = queue.add('default', 1);
    await queue.drain();
    assert.equal(task.state, 'done');
    assert.equal(task.attempts, 1);
  });

  it('takes a handler that waits for ever to be hung, after its patience is over', async () => {
    const timers = new AbortController();
    const queue = await queueOf(() => pause(600_000, undefined, timers), { patienceMs: 50, maxAttempts: 1 });
    const task = queue.add('default', 1);
    await queue.drain();
    timers.abort();
    assert.equal(task.runs[0]?.end, 'timed-out');
  });

  it('says which tasks keep it from being drained, and why', async () => {
    const queue = await queueOf(() => {
      throw new RetryAfter(5000, 'not yet');
    });
    const task = queue.add('default', 1);
    await assert.rejects(queue.drain({ withinMs: 1000 }), (error) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.code, 'NOT_DRAINED');
      assert.match(error.message, /more than 1000 ms of virtual time; group "processors" has left 1 tasks:/);
      assert.match(error.message, new RegExp(`default ${task.id}: parked after 1 runs, due in 5000 ms`));
      assert.match(error.message, /RetryAfter: not yet/);
      return true;
    });
    queue.faults.redisAway();
    await assert.rejects(queue.drain(), /nothing will ever be due, and Redis is away/);
    queue.faults.redisBack();
    await queue.drain();
    assert.equal(task.state, 'dead');
  });

  it('says so when a handler waits for the queue that runs it', async () => {
    const queue = await queueOf(() => queue.drain(), { maxAttempts: 1 });
    const task = queue.add('default', 1);
    await queue.drain();
    assert.match(task.deadLetter?.error_message ?? '', /drained or advanced already/);
  });

  it('works off what handlers add', async () => {
    const queue = await queueOf((task) => {
      if (task.data === 'parent') queue.add('default', 'child');
    });
    queue.add('default', 'parent');
    await queue.drain();
    assert.deepEqual(queue.ledger, { done: 2 });
    assert.deepEqual(
      queue.tasks.map((task) => task.state),
      ['done', 'done'],
    );
  });

  it('tells of every run in the order in which they began', async () => {
    const queue = await queueOf((task) => {
      if (task.data === 'a' && task.attempt === 1) throw new Error('once');
    });
    for (const data of ['a', 'b', 'c']) queue.add('default', data, { id: data });
    await queue.drain();
    assert.deepEqual(
      queue.runs.map(({ taskId, attempt }) => taskId + attempt),
      ['a1', 'b1', 'c1', 'a2'],
    );
  });

  it('lets several groups read the same tasks', async () => {
    const events: ConsumerEvent[] = [];
    const queue = await queueOf(() => undefined);
    const other = await queue.join({
      group: 'others',
      handlers: [defineHandler('default', () => Promise.reject(new Error('never')))],
      listener: (event) => events.push(event),
    });
    const task = queue.add('default', 1);
    await queue.drain();
    assert.equal(task.state, 'done');
    assert.equal(other.task(task.id)?.state, 'dead');
    assert.equal(other.task(task.id)?.deadLetter?.group, 'others');
    assert.equal(task.deadLetter, undefined);
    assert.deepEqual(
      events.map(({ type }) => type),
      ['task-retried', 'task-retried', 'task-dead'],
    );
  });
});
