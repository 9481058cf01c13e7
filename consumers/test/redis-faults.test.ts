import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTcpProxy, waitFor } from '@sluice/testbed';
import { type Fixture, setUp, soon } from './fixture.js';

const sorted = (ids: readonly string[]) => [...ids].sort();

/** New tasks are worked off within 5 s, without a restart of ours. */
async function recovers(queue: Fixture): Promise<void> {
  const before = queue.ids('end').length;
  await waitFor(() => queue.redis.ping().then((pong) => pong === 'PONG'), {
    timeoutMs: 60_000,
    what: 'Redis',
  });
  const ids = await queue.appendScripts(5);
  await queue.until('end', before + 5, 5000);
  for (const id of ids) assert.ok(queue.ids('end').includes(id));
}

// Most of the time each waits, for a fault of its own Redis to last.
describe('faults of Redis', { concurrency: 3 }, () => {
  test('FLUSHALL: the groups come back, and what is appended afterwards is worked off', async (t) => {
    const queue = await setUp(t);
    const { events } = await queue.consume();
    await queue.appendScripts(5);
    await queue.until('end', 5);
    await queue.redis.flushall();
    await recovers(queue);
    await queue.drained();
    await soon(
      'new groups to be reported',
      () => events.filter((event) => event.type === 'group-created').length >= 3,
    );
  });

  test('FLUSHALL while tasks run: their outcomes have nowhere to go, and the consumer goes on', async (t) => {
    const queue = await setUp(t);
    const { consumer } = await queue.consume();
    await queue.appendScripts(5, { ms: 500 });
    await queue.until('start', 5);
    await queue.redis.flushall();
    await queue.until('end', 5);
    await recovers(queue);
    await waitFor(() => consumer.counters.running === 0, {
      timeoutMs: 60_000,
      what: 'all tasks to be settled',
    });
  });

  test('what is appended to a new stream before the group exists is worked off too', async (t) => {
    const queue = await setUp(t);
    const ids = await queue.appendScripts(3);
    await queue.consume();
    await queue.drained();
    assert.deepEqual(sorted(queue.ids('end')), sorted(ids));
  });

  test('Redis killed and started again: everything stored is done, nothing restarts', async (t) => {
    const queue = await setUp(t, { persistent: true });
    const { consumer, events } = await queue.consume();
    const ids = await queue.appendScripts(200, { ms: 20 });
    await queue.until('end', 50);
    await queue.server.kill();
    await waitFor(() => consumer.counters.running === 0, {
      timeoutMs: 60_000,
      what: 'running tasks to finish',
    });
    await queue.server.restart();
    await recovers(queue);
    await queue.drained();
    const ended = new Set(queue.ids('end'));
    for (const id of ids) assert.ok(ended.has(id));
    assert.equal((await queue.ledger()).done, 205);
    assert.ok(events.some((event) => event.type === 'redis-lost'));
    await soon('Redis to be reported back', () => events.some((event) => event.type === 'redis-back'));
  });

  test('Redis frozen for 3 seconds: every task is done once', async (t) => {
    const queue = await setUp(t);
    await queue.consume({ leaseSeconds: 5 });
    const ids = await queue.appendScripts(100, { ms: 50 });
    await queue.until('end', 20);
    queue.server.pause();
    await pause(3000); // the fault itself
    queue.server.resume();
    await recovers(queue);
    await queue.drained();
    assert.equal(queue.ids('start').length, 105);
    for (const id of ids) assert.ok(queue.ids('end').includes(id));
  });

  test('Redis frozen for longer than connections wait: back within 5 s of its return', async (t) => {
    const queue = await setUp(t);
    await queue.consume();
    queue.server.pause();
    await pause(7000); // the fault itself
    queue.server.resume();
    await recovers(queue);
  });

  test('no Redis at the start: the consumer waits for it', async (t) => {
    const queue = await setUp(t, { persistent: true });
    const ids = await queue.appendScripts(3);
    await queue.server.kill();
    const starting = queue.consume();
    await pause(300); // some tries in vain
    await queue.server.restart();
    await starting;
    await queue.drained();
    assert.deepEqual(sorted(queue.ids('end')), sorted(ids));
  });

  test('scripts that Redis has forgotten are sent again', async (t) => {
    const queue = await setUp(t);
    await queue.consume();
    await queue.appendScripts(3);
    await queue.drained();
    await queue.redis.script('FLUSH');
    await recovers(queue);
    await queue.drained();
    assert.equal((await queue.ledger()).done, 8);
  });

  test('a failover that makes our Redis read-only for a while', async (t) => {
    const queue = await setUp(t);
    await queue.consume();
    await queue.appendScripts(20, { ms: 300 });
    await queue.until('start', 20);
    await queue.redis.replicaof('127.0.0.1', 1);
    await queue.until('end', 20);
    await queue.redis.replicaof('NO', 'ONE');
    await recovers(queue);
    await queue.drained();
    assert.equal((await queue.ledger()).done, 25);
  });

  test('no memory left in Redis: tasks are settled, dead letters written, and memory becomes free', async (t) => {
    const queue = await setUp(t);
    const { consumer } = await queue.consume();
    await queue.appendScripts(10, { ms: 500 });
    await queue.appendScripts(5, { do: 'throw', until: 1 });
    await queue.append({ journal: queue.journal, do: 'throw-unrecoverable' });
    await queue.until('start', 10);
    await queue.redis.config('SET', 'maxmemory', '1');
    await assert.rejects(queue.appendScript(), /OOM/);
    await queue.drained();
    assert.deepEqual(await queue.ledger(), { done: 15, retried: 5, dead: 1 });
    await soon('the dead letter to be counted', () => consumer.counters.dead === 1);
    await queue.redis.config('SET', 'maxmemory', '0');
    await recovers(queue);
  });

  test('a key that is no stream stops its own task type only, until it is gone', async (t) => {
    const queue = await setUp(t);
    await queue.consume();
    await queue.redis.del('tasks:stream:measured');
    await queue.redis.set('tasks:stream:measured', 'what is this');
    await recovers(queue);
    await queue.redis.del('tasks:stream:measured');
    const id = await queue.append({ journal: queue.journal, width: 1 }, {}, 'measured');
    await waitFor(() => queue.ids('end').includes(id), {
      timeoutMs: 60_000,
      what: 'the other type to recover',
    });
  });

  test('replies that get lost lose no task', async (t) => {
    const queue = await setUp(t);
    const proxy = await startTcpProxy(queue.server.port);
    t.after(() => proxy.close());
    const { events } = await queue.consume({ redisUrl: `redis://127.0.0.1:${proxy.port}`, leaseSeconds: 10 });
    const ids: string[] = [];
    for (let round = 0; round < 10; round++) {
      proxy.dropReplies(true);
      ids.push(...(await queue.appendScripts(20, { ms: 5 })));
      await pause(50); // time for entries to be delivered into the void
      proxy.cut();
      proxy.dropReplies(false);
      await queue.until('end', ids.length, 8000);
    }
    await queue.drained();
    const ended = new Set(queue.ids('end'));
    for (const id of ids) assert.ok(ended.has(id));
    const { done, ...others } = await queue.ledger();
    assert.equal(done, 200);
    assert.deepEqual(others, {});
    assert.deepEqual(
      events.filter((event) => event.type === 'tasks-lost'),
      [],
    );
  });
});
