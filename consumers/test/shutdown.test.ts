import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './fixture.js';

test('stopping finishes what runs, leaves the rest to others, and leaves no consumer behind', async (t) => {
  const queue = await setUp(t);
  const { consumer, events } = await queue.consume({ maxConcurrentTasks: 10 });
  await queue.appendScripts(100, { ms: 300 });
  await queue.until('start', 10);
  await consumer.stop();
  const started = queue.ids('start');
  assert.deepEqual(queue.ids('end').sort(), started.sort());
  assert.equal((await queue.ledger()).done, started.length);
  const { '~parked': parked = 0, ...consumers } = await queue.consumers();
  assert.deepEqual(consumers, {});
  assert.ok((await queue.backlog()) === 100 - started.length && parked <= 100 - started.length);
  const finished = events.find((event) => event.type === 'shutdown-finished');
  assert.equal(finished?.left, 0);

  await queue.consume();
  await queue.drained();
  assert.equal(queue.ids('end').length, 100);
  assert.deepEqual(
    queue.lines().filter((line) => line.attempt !== 1),
    [],
    'what had not started was no attempt',
  );
});

test('what has not finished when the time is up stays for the next consumer', async (t) => {
  const queue = await setUp(t);
  const { consumer, events } = await queue.consume({ shutdownTimeoutSeconds: 0.3 });
  const ids = await queue.appendScripts(5, { ms: 25_000, againMs: 10 });
  await queue.until('start', 5);
  const begun = performance.now();
  await consumer.stop();
  assert.ok(performance.now() - begun < 20_000, 'did not wait for the tasks');
  assert.equal(await queue.backlog(), 5);
  assert.equal(events.find((event) => event.type === 'shutdown-finished')?.left, 5);
  const { '~parked': parked, ...consumers } = await queue.consumers();
  assert.equal(parked, 5);
  assert.deepEqual(consumers, {});

  await queue.consume();
  await queue.drained();
  assert.deepEqual(queue.ids('end').sort(), ids.sort());
  assert.deepEqual(await queue.ledger(), { interrupted: 5, done: 5 });
});

test('SIGTERM ends the process with exit code 0 and every task it ran acknowledged', async (t) => {
  const queue = await setUp(t);
  const process = await queue.consumeInProcess();
  await queue.appendScripts(50, { ms: 100 });
  await queue.until('start', 10);
  process.signal('SIGTERM');
  assert.deepEqual(await process.exited, { code: 0, signal: null });
  assert.equal((await queue.ledger()).done, queue.ids('end').length);
  assert.equal(queue.ids('end').length, queue.ids('start').length);
});

test('stopping does not take long when there is nothing to do, Redis or no Redis', async (t) => {
  const queue = await setUp(t);
  const { consumer } = await queue.consume();
  const { consumer: other } = await queue.consume();
  const begun = performance.now();
  await consumer.stop();
  await queue.server.kill();
  await other.stop();
  // Neither stop waits for as long as it may.
  assert.ok(performance.now() - begun < 15_000);
});
