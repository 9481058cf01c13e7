import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { FAULTY_REDIS, REDIS_FAULTS, startRedis, startTcpProxy, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { setUp } from './fixture.js';

const RECOVERS_WITHIN_MS = 5000;
const TASKS = 20;
/** Longer than the time until the fault begins, so that their outcomes meet it. */
const TASK_MS = 300;

for (const fault of REDIS_FAULTS) {
  test(`${fault.name}: nothing ends, nothing is acknowledged falsely, and new tasks are done within 5 s`, async (t) => {
    const queue = await setUp(t, FAULTY_REDIS);
    const target = { ...queue, server: queue.server, redisDir: queue.server.dir, stream: 'tasks:stream' };
    const { events } = await queue.consume({ leaseSeconds: 10 });
    const ids = await queue.appendScripts(TASKS, { ms: TASK_MS });
    await queue.until('start', TASKS);
    await fault.begin(target);
    await queue.until('end', TASKS); // handlers need no Redis
    await pause(500); // the fault itself: outcomes are sent, and refused
    await fault.end(target);
    ids.push(...(await queue.appendScripts(5)));
    await queue.until('end', TASKS + 5, RECOVERS_WITHIN_MS);
    await queue.drained();

    const ended = new Set(queue.ids('end'));
    assert.deepEqual(
      ids.filter((id) => !ended.has(id)),
      [],
    );
    assert.equal(queue.ids('start').length, ids.length, 'no task ran twice');
    assert.equal((await queue.ledger()).done, fault.forgets ? 5 : ids.length);
    const bad = events.filter(({ type }) => ['thread-replaced', 'crash-loop', 'tasks-lost'].includes(type));
    assert.deepEqual(bad, []);
  });
}

test('a failover: the old master turns read-only, its name leads to the new one, and everything is done there', async (t) => {
  const queue = await setUp(t, { persistent: true });
  const heir = await startRedis();
  const proxy = await startTcpProxy(queue.server.port);
  const atHeir = new Redis(heir.url, { protocol: 2 });
  t.after(async () => {
    atHeir.disconnect();
    await proxy.close();
    await heir.stop();
  });
  await atHeir.replicaof('127.0.0.1', queue.server.port);
  const { events } = await queue.consume({ redisUrl: `redis://127.0.0.1:${proxy.port}`, leaseSeconds: 10 });
  const ids = await queue.appendScripts(TASKS, { ms: TASK_MS });
  await queue.until('start', TASKS);
  await waitFor(async () => Number(await queue.redis.wait(1, 100)) === 1, {
    timeoutMs: 20_000,
    what: 'the replica to have it all',
  });
  // What a failover does: connections to the old master stay open, and it takes nothing any more.
  await atHeir.replicaof('NO', 'ONE');
  proxy.pointAt(heir.port);
  await queue.redis.replicaof('127.0.0.1', heir.port);
  const [reply] =
    (await atHeir
      .multi()
      .xadd('tasks:stream', '*', ...newTask(queue.journal))
      .exec()) ?? [];
  assert.equal(reply?.[0], null);
  await queue.until('end', TASKS + 1, RECOVERS_WITHIN_MS);
  await waitFor(async () => (await atHeir.xlen('tasks:stream')) === 0, {
    timeoutMs: RECOVERS_WITHIN_MS,
    what: 'every outcome to be written to the new master',
  });
  assert.equal(queue.ids('start').length, ids.length + 1, 'no task ran twice');
  const ledger = await atHeir.hgetall(queue.keys.ledger('tasks:stream', 'processors'));
  assert.deepEqual(ledger, { done: String(TASKS + 1) });
  assert.deepEqual(
    events.filter(({ type }) => type === 'thread-replaced'),
    [],
  );
});

/** Fields of a task that returns at once. */
function newTask(journal: string): string[] {
  const payload = JSON.stringify({ data: { journal } });
  return ['task_id', 'appended-after-the-failover', 'type', 'default', 'payload', payload];
}
