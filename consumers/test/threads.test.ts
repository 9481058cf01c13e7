import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { setUp, soon } from './fixture.js';

const replaced = (events: readonly { type: string }[]) =>
  events.filter((event) => event.type === 'thread-replaced');

test('a thread in an endless loop is replaced, and only its task is tried again', async (t) => {
  const queue = await setUp(t);
  const { events } = await queue.consume({ taskTimeoutSeconds: 0.5, maxAttempts: 2, maxConcurrentTasks: 20 });
  const looping = await queue.appendScript({ do: 'block' });
  const others = await queue.appendScripts(100, { ms: 10 });
  await queue.drained();
  const runsOf = (id: string) => queue.ids('start').filter((one) => one === id).length;
  assert.equal(runsOf(looping), 2);
  const letters = await queue.deadLetters();
  assert.deepEqual(
    letters.map((letter) => [letter.task_id, letter.reason, letter.error_name]),
    [[looping, 'crashed', 'ThreadHung']],
  );
  for (const id of others) assert.ok(queue.ids('end').includes(id));
  assert.equal((await queue.ledger()).done, 100);
  assert.equal(replaced(events).length, 2);
});

test('a task that ends its thread is tried again as often as any, and its neighbours all get done', async (t) => {
  const queue = await setUp(t);
  const { events, consumer } = await queue.consume();
  const exiting = await queue.appendScript({ do: 'exit' });
  const others = await queue.appendScripts(100, { ms: 10 });
  await queue.drained();
  assert.equal(queue.ids('start').filter((id) => id === exiting).length, 3);
  const letters = await queue.deadLetters();
  assert.deepEqual(
    letters.map((letter) => [letter.task_id, letter.reason]),
    [[exiting, 'crashed']],
  );
  assert.match(letters[0]?.error_message ?? '', /exit code 3/);
  for (const id of others) assert.ok(queue.ids('end').includes(id));
  await soon('all to be counted', () => consumer.counters.done === 100 && consumer.counters.dead === 1);
  assert.equal(replaced(events).length, 3);
  assert.ok(events.some((event) => event.type === 'task-dead' && event.taskId === exiting));
});

test('an unhandled rejection loses nothing', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  const rejecting = await queue.appendScript({ do: 'reject-unhandled' });
  const others = await queue.appendScripts(50, { ms: 10 });
  await queue.drained();
  for (const id of others) assert.ok(queue.ids('end').includes(id));
  const letters = await queue.deadLetters();
  assert.deepEqual(
    letters.map((letter) => letter.task_id),
    [rejecting],
  );
  assert.equal(queue.ids('start').filter((id) => id === rejecting).length, 3);
  assert.equal((await queue.ledger()).done, 50);
});

test('threads whose handlers do not load fail the start, with the reason', async (t) => {
  const queue = await setUp(t);
  const broken = new URL('./handlers/broken.js', import.meta.url);
  await assert.rejects(queue.consume({ handlers: { default: broken } }), {
    code: 'HANDLER_MODULE',
    message: /"default".*broken\.js does not load: Error: this module does not load/,
  });
});

test('a thread is free for others while a task waits in vain', async (t) => {
  const queue = await setUp(t);
  await queue.consume({
    threads: 1,
    maxConcurrentTasks: 8,
    taskTimeoutSeconds: 30,
    shutdownTimeoutSeconds: 0.1,
  });
  await queue.appendScripts(4, { do: 'never-settle' });
  const ids = await queue.appendScripts(50);
  await queue.until('end', 50);
  assert.deepEqual(queue.ids('end').sort(), ids.sort());
  await waitFor(async () => (await queue.backlog()) === 4, {
    timeoutMs: 20_000,
    what: 'all others to be acknowledged',
  });
});

test('a thread that runs out of memory is replaced, and only its task is tried again', async (t) => {
  const queue = await setUp(t);
  const { events } = await queue.consume({ threadHeapMb: 32, maxAttempts: 2 });
  const hungry = await queue.appendScript({ do: 'exhaust-heap' });
  const others = await queue.appendScripts(20, { ms: 10 });
  await queue.drained();
  assert.equal(queue.ids('start').filter((id) => id === hungry).length, 2);
  const letters = await queue.deadLetters();
  assert.deepEqual(
    letters.map((letter) => letter.task_id),
    [hungry],
  );
  assert.match(letters[0]?.error_message ?? '', /memory/i);
  for (const id of others) assert.ok(queue.ids('end').includes(id));
  assert.equal(replaced(events).length, 2);
});

test('a listener that throws when a thread has ended does not leave its place empty', async (t) => {
  const queue = await setUp(t);
  const env = { CONSUMER_LISTENER_THROWS: 'thread-replaced' };
  const consumer = await queue.consumeInProcess({ threads: 1, maxAttempts: 1 }, env);
  const exiting = await queue.appendScript({ do: 'exit' });
  await waitFor(() => consumer.output().includes('thread-replaced'), {
    timeoutMs: 20_000,
    what: 'the thread to end',
  });
  const others = await queue.appendScripts(20);
  await queue.drained();
  assert.deepEqual(queue.ids('end').sort(), others.sort());
  assert.deepEqual(
    (await queue.deadLetters()).map((letter) => letter.task_id),
    [exiting],
  );
  await soon('its error to be thrown', () => consumer.output().includes('uncaught: a listener fails'));
});
