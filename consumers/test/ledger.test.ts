import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { setUp } from './fixture.js';

test('each stream has a ledger of its own', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.appendScripts(3);
  await queue.append({ journal: queue.journal, width: 1 }, {}, 'measured');
  await queue.drained();
  assert.deepEqual(await queue.redis.hgetall('tasks:stream:ledger:processors'), { done: '3' });
  assert.deepEqual(await queue.redis.hgetall('tasks:stream:measured:ledger:processors'), { done: '1' });
});

test('a running task whose entry was deleted is counted as lost when its lease is renewed', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ leaseSeconds: 1, threads: 1, shutdownTimeoutSeconds: 0 });
  await queue.appendScript({ do: 'wait-for-abort' });
  await queue.until('start', 1);
  const [entry] = await queue.redis.xrange('tasks:stream', '-', '+');
  await queue.redis.xdel('tasks:stream', entry?.[0] ?? '');
  await waitFor(async () => (await queue.ledger()).lost === 1, { timeoutMs: 20_000, what: 'the renewal' });
});

test('a group that comes later is not charged with what was gone before', async (t) => {
  const queue = await setUp(t);
  const first = await queue.consume();
  await queue.appendScripts(4);
  await queue.drained();
  await first.consumer.stop();
  await queue.appendScripts(2);
  await queue.consume({ group: 'late' });
  await queue.until('end', 6);
  await waitFor(async () => (await queue.redis.hget('tasks:stream:ledger:late', 'done')) === '2', {
    timeoutMs: 20_000,
    what: 'acknowledgement',
  });
  assert.deepEqual(await queue.redis.hgetall('tasks:stream:ledger:late'), { before: '4', done: '2' });
});

test('a stream that was deleted and made anew is remembered as that', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.appendScripts(5);
  await queue.drained();
  await queue.redis.del('tasks:stream');
  await waitFor(async () => (await queue.ledger()).streams_deleted === 1, {
    timeoutMs: 20_000,
    what: 'the group to be created again',
  });
  await queue.appendScripts(1);
  await queue.until('end', 6);
  await waitFor(async () => (await queue.ledger()).done === 6, {
    timeoutMs: 20_000,
    what: 'acknowledgement',
  });
  // 1 appended = -5 before + 6 done
  assert.deepEqual(await queue.ledger(), { done: 6, streams_deleted: 1, before: -5 });
});
