import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { setUp, soon } from './fixture.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('a failing task is tried again after its back-off, and then is a dead letter with all one needs', async (t) => {
  const queue = await setUp(t);
  const before = Date.now();
  const { consumer, events } = await queue.consume({ backoffBaseSeconds: 0.2 });
  const id = await queue.appendScript({ do: 'throw' });
  const [[sourceId] = ['']] = await queue.redis.xrange('tasks:stream', '-', '+');
  await queue.drained();

  const starts = queue.lines().filter((line) => line.event === 'start');
  assert.deepEqual(
    starts.map((line) => line.attempt),
    [1, 2, 3],
  );
  const [first = 0, second = 0, third = 0] = starts.map((line) => line.at);
  assert.ok(second - first >= 200, `second attempt after ${second - first} ms`);
  assert.ok(third - second >= 400, `third attempt after ${third - second} ms`);

  const [letter, ...others] = await queue.deadLetters();
  assert.ok(letter);
  assert.deepEqual(others, []);
  const {
    error_stack,
    first_failed_at,
    last_failed_at,
    consumer: owner,
    payload,
    timestamp,
    ...plain
  } = letter;
  assert.deepEqual(plain, {
    task_id: id,
    type: 'default',
    content_type: 'application/json',
    trace_context: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    reason: 'attempts-exhausted',
    attempts: '3',
    crashes: '0',
    error_name: 'TypeError',
    error_message: 'attempt 3 failed',
    group: 'processors',
    source_stream: 'tasks:stream',
    source_id: sourceId,
  });
  assert.equal(payload, JSON.stringify({ data: { journal: queue.journal, do: 'throw' } }));
  assert.match(error_stack ?? '', /TypeError: attempt 3 failed\n.*scripted\.js/);
  assert.match(timestamp ?? '', ISO);
  assert.match(owner ?? '', new RegExp(`:${process.pid}:[01]$`));
  const failedAt = [first_failed_at, last_failed_at].map((text) => {
    assert.match(text ?? '', ISO);
    return Date.parse(text ?? '');
  });
  const [firstFailed = 0, lastFailed = 0] = failedAt;
  assert.ok(firstFailed >= before - 1 && lastFailed - firstFailed >= 600 && lastFailed <= Date.now() + 1);

  assert.deepEqual(await queue.ledger(), { retried: 2, dead: 1 });
  const reported = () => events.filter(({ type }) => type === 'task-retried' || type === 'task-dead');
  await soon('three failures to be reported', () => reported().length === 3);
  assert.deepEqual(
    reported().map((event) => event.type),
    ['task-retried', 'task-retried', 'task-dead'],
  );
  await soon('all to be counted', () => consumer.counters.retried === 2 && consumer.counters.dead === 1);
  assert.deepEqual(
    await queue.redis.exists('tasks:stream:retries:processors', 'tasks:stream:attempts:processors'),
    0,
  );
});

test('a task that works in the end is done and leaves nothing behind', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  const ids = await queue.appendScripts(20, { do: 'throw', until: 2 });
  await queue.drained();
  assert.deepEqual(queue.ids('end').sort(), ids.sort());
  assert.equal(queue.ids('start').length, 60);
  assert.deepEqual(await queue.ledger(), { retried: 40, done: 20 });
  assert.equal(
    await queue.redis.exists('tasks:stream:retries:processors', 'tasks:stream:attempts:processors'),
    0,
  );
});

test('Unrecoverable goes straight to the dead-letter stream', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.appendScript({ do: 'throw-unrecoverable' });
  await queue.drained();
  assert.equal(queue.ids('start').length, 1);
  const [letter] = await queue.deadLetters();
  assert.equal(letter?.reason, 'unrecoverable');
  assert.equal(letter?.attempts, '1');
});

test('RetryAfter is never early', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.appendScripts(50, { do: 'throw-retry-after', ms: 300, until: 1 });
  await queue.drained();
  const starts = queue.lines().filter((line) => line.event === 'start');
  for (const second of starts.filter((line) => line.attempt === 2)) {
    const first = starts.find((line) => line.id === second.id && line.attempt === 1);
    assert.ok(
      first !== undefined && second.at - first.at >= 300,
      `came back after ${second.at - (first?.at ?? 0)} ms`,
    );
  }
  assert.equal(queue.ids('end').length, 50);
});

test('whatever a handler throws, the task is retried and then a dead letter', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ maxAttempts: 4 });
  await queue.appendScript({ do: 'throw-odd' });
  await queue.drained();
  assert.equal(queue.ids('start').length, 4);
  const letters = await queue.deadLetters();
  assert.equal(letters.length, 1);
  assert.equal(letters[0]?.error_name, 'ThrownNull');
});

test('other groups on the stream do not see the retries of this one', async (t) => {
  const queue = await setUp(t);
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'others', '0', 'MKSTREAM');
  await queue.consume();
  await queue.appendScript({ do: 'throw', until: 2 });
  await queue.until('end', 1);
  await waitFor(async () => (await queue.ledger()).done === 1, {
    timeoutMs: 20_000,
    what: 'acknowledgement',
  });
  const seen = await queue.redis.xreadgroup(
    'GROUP',
    'others',
    'me',
    'COUNT',
    100,
    'STREAMS',
    'tasks:stream',
    '>',
  );
  assert.equal((seen as [string, unknown[]][])[0]?.[1].length, 1);
});

test('the number of attempts survives the death of the process', async (t) => {
  const queue = await setUp(t);
  const process = await queue.consumeInProcess({ backoffBaseSeconds: 0.3 });
  await queue.appendScript({ do: 'throw' });
  await waitFor(async () => (await queue.ledger()).retried === 1, {
    timeoutMs: 20_000,
    what: 'the first failure',
  });
  process.signal('SIGKILL');
  await process.exited;
  await queue.consume();
  await queue.drained();
  assert.deepEqual(
    queue.lines().map((line) => line.attempt),
    [1, 2, 3],
  );
  assert.equal((await queue.deadLetters())[0]?.attempts, '3');
});

test('a task that runs out of time is aborted and counts as failed', async (t) => {
  const queue = await setUp(t);
  const { events } = await queue.consume({ taskTimeoutSeconds: 0.2, maxAttempts: 2 });
  await queue.appendScript({ do: 'wait-for-abort' });
  await queue.drained();
  assert.equal(queue.ids('aborted').length, 2);
  const [letter] = await queue.deadLetters();
  assert.equal(letter?.error_name, 'TaskTimeout');
  assert.equal(letter?.attempts, '2');
  const timedOut = () => events.filter((event) => event.type === 'task-timed-out');
  await soon('both to be reported', () => timedOut().length === 2);
});

test('a task that ignores the end of its time counts as failed too, and its late result does not count', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ taskTimeoutSeconds: 0.2, maxAttempts: 2 });
  await queue.appendScript({ ms: 700 });
  await queue.appendScript({ do: 'never-settle' });
  await queue.drained();
  const letters = await queue.deadLetters();
  assert.deepEqual(
    letters.map((letter) => letter.error_name),
    ['TaskTimeout', 'TaskTimeout'],
  );
  await queue.until('end', 2);
  assert.deepEqual(await queue.ledger(), { retried: 2, dead: 2 });
});

test('a task that waits for its next attempt survives the loss of the schedule', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ backoffBaseSeconds: 300, backoffMaxSeconds: 300 });
  await queue.appendScript({ do: 'throw', until: 1 });
  await waitFor(async () => (await queue.ledger()).retried === 1, {
    timeoutMs: 20_000,
    what: 'the first failure',
  });
  await queue.redis.del('tasks:stream:retries:processors');
  await queue.drained();
  assert.equal(queue.ids('end').length, 1);
});

test('any number of suspects that wait for one another let the retries of other tasks by', async (t) => {
  const queue = await setUp(t);
  const { redis } = queue;
  await redis.xgroup('CREATE', 'tasks:stream', 'processors', '0', 'MKSTREAM');
  // All but the last have crashed twice. Suspects take their time, so that they are far from through.
  await queue.appendScripts(600, { ms: 1000 });
  const last = await queue.appendScript();
  await redis.xreadgroup('GROUP', 'processors', 'gone', 'STREAMS', 'tasks:stream', '>');
  const ids = (await redis.xrange('tasks:stream', '-', '+')).map(([id]) => id);
  for (const [i, id] of ids.entries()) {
    const deliveries = i < 600 ? 2 : 1;
    await redis.xclaim('tasks:stream', 'processors', '~parked', 0, id, 'RETRYCOUNT', deliveries, 'JUSTID');
    await redis.zadd('tasks:stream:retries:processors', i + 1, id);
  }
  await queue.consume({ shutdownTimeoutSeconds: 0 });
  await waitFor(() => queue.ids('end').includes(last), {
    timeoutMs: 20_000,
    what: 'the one that is no suspect',
  });
  assert.ok(queue.ids('start').length < 100);
});

test('under a full load, what is due gets every second place, and new tasks the others', async (t) => {
  const queue = await setUp(t);
  const failing = 40;
  await queue.appendScripts(failing, { do: 'throw', until: 1 });
  await queue.appendScripts(1500, { ms: 4 });
  await queue.consume({ threads: 1, maxConcurrentTasks: 4 });
  await queue.drained();
  const starts = queue.lines().filter((line) => line.event === 'start');
  const firstFailure = starts.findIndex((line) => line.attempt === 1);
  const lastRetry = starts.findLastIndex((line) => line.attempt === 2);
  const between = starts.slice(firstFailure, lastRetry).filter((line) => line.attempt === 1).length;
  // Some 80 with turns taken; 400 to 1,500 where a retry has to find a place by luck.
  assert.ok(between >= failing / 2 && between < 5 * failing, `${between} new tasks before the last retry`);
});
