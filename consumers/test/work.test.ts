import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { pack } from 'msgpackr';
import { ACKNOWLEDGE_FIRST, type Fixture, setUp, soon } from './fixture.js';

const sorted = (ids: readonly string[]) => [...ids].sort();

test('works off every task exactly once', async (t) => {
  const queue = await setUp(t);
  const before = await queue.appendScripts(500);
  const { consumer } = await queue.consume();
  const after = await queue.appendScripts(500);
  await queue.drained();
  assert.deepEqual(sorted(queue.ids('end')), sorted([...before, ...after]));
  assert.deepEqual(await queue.ledger(), { done: 1000 });
  await soon('all to be counted', () => consumer.counters.done === 1000);
  assert.equal(consumer.counters.read, 1000);
  assert.deepEqual(await queue.deadLetters(), []);
});

/** By far longer than an acknowledgement takes. */
const LOOK_FOR_MS = 500;

/** Whether the task was still pending in every moment in which its handler ran. */
async function pendingWhileRunning(queue: Fixture, options: object): Promise<boolean> {
  await queue.consume(options);
  await queue.appendScript({ held: true });
  await queue.until('start', 1);
  const looks: number[] = [];
  const since = performance.now();
  while (looks.length < 10 || performance.now() - since < LOOK_FOR_MS) looks.push(await queue.backlog());
  queue.letGo();
  await queue.drained();
  return looks.every((backlog) => backlog === 1);
}

test('acknowledges a task only after its handler has resolved', async (t) => {
  assert.equal(await pendingWhileRunning(await setUp(t), {}), true);
});

test('negative control: a consumer that acknowledges first is caught', async (t) => {
  assert.equal(await pendingWhileRunning(await setUp(t), ACKNOWLEDGE_FIRST), false);
});

test('a typed task reaches the handler of its type', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  const id = await queue.append({ journal: queue.journal, width: 3 }, {}, 'measured');
  await queue.drained();
  assert.deepEqual(queue.ids('end'), [id]);
});

test('an entry in the wrong stream is run by the handler of its type', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  const id = await queue.append({ journal: queue.journal, width: 3 }, { type: 'measured' }, 'default');
  await queue.drained();
  assert.deepEqual(queue.ids('end'), [id]);
  assert.deepEqual(await queue.deadLetters(), []);
});

test('works off MessagePack bodies', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  const body = pack({ data: { journal: queue.journal } });
  const fields = [
    'task_id',
    'packed',
    'type',
    'default',
    'content_type',
    'application/msgpack',
    'payload',
    body,
  ];
  await queue.redis.xadd('tasks:stream', '*', ...fields);
  await queue.drained();
  assert.deepEqual(queue.ids('end'), ['packed']);
});

test('two processes share the work', async (t) => {
  const queue = await setUp(t);
  const one = await queue.consumeInProcess({ maxConcurrentTasks: 4 });
  const two = await queue.consumeInProcess({ maxConcurrentTasks: 4 });
  // More work than one gets through while the other, on a busy machine, has not been given a core yet.
  const ids = await queue.appendScripts(200, { ms: 50 });
  await queue.drained();
  assert.deepEqual(sorted(queue.ids('end')), sorted(ids));
  const pids = new Set(queue.lines().map((line) => line.pid));
  assert.deepEqual(pids, new Set([one.pid, two.pid]));
});

test('no more tasks run at once than allowed, over all threads', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ maxConcurrentTasks: 3, threads: 2 });
  await queue.appendScripts(30, { ms: 20 });
  await queue.drained();
  let running = 0;
  let most = 0;
  for (const { event } of queue.lines()) {
    running += event === 'start' ? 1 : -1;
    most = Math.max(most, running);
  }
  assert.ok(most <= 3, `${most} ran at once`);
});

test('tasks that keep their thread busy are shared with others rather than hoarded', async (t) => {
  const queue = await setUp(t);
  const one = await queue.consumeInProcess({ threads: 1 });
  const two = await queue.consumeInProcess({ threads: 1 });
  await queue.appendScripts(40, { do: 'spin', ms: 60 });
  await queue.drained();
  const startedBy = (pid: number) =>
    queue.lines().filter((line) => line.event === 'start' && line.pid === pid).length;
  assert.ok(
    Math.min(startedBy(one.pid), startedBy(two.pid)) >= 10,
    `${startedBy(one.pid)} and ${startedBy(two.pid)}`,
  );
});

test('entries stay in a stream that a second group has yet to read', async (t) => {
  const queue = await setUp(t);
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'others', '0', 'MKSTREAM');
  await queue.consume();
  await queue.appendScripts(10);
  await queue.until('end', 10);
  await waitFor(async () => (await queue.ledger()).done === 10, {
    timeoutMs: 20_000,
    what: 'acknowledgement',
  });
  assert.equal(await queue.backlog(), 10);
  await queue.consume({ group: 'others' });
  await queue.until('end', 20);
});

test('a second process of the same name and id takes another name', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ consumerName: 'same', threads: 1 });
  await queue.consume({ consumerName: 'same', threads: 1 });
  const names = Object.keys(await queue.consumers());
  assert.equal(names.length, 2, names.join(' '));
});

test('tasks larger than what a socket delivers at once arrive whole', async (t) => {
  const queue = await setUp(t);
  const filling = 'ä'.repeat(150_000);
  const ids = [];
  for (let i = 0; i < 20; i++) {
    ids.push(await queue.append({ journal: queue.journal, width: 3, filling }, {}, 'measured'));
  }
  await queue.consume();
  await queue.drained();
  assert.deepEqual(sorted(queue.ids('end')), sorted(ids));
  assert.deepEqual(await queue.deadLetters(), []);
});
