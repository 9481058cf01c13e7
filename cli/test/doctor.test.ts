import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { diagnose, type Severity } from '@sluice/cli';
import { startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { type Fixture, setUp } from './fixture.js';

/** What one check says, as `severity: finding`. */
async function said(queue: Fixture, check: string): Promise<string> {
  const { findings } = await diagnose(queue.redis, queue.server.url);
  return findings
    .filter((one) => one.check === check)
    .map(({ severity, finding }) => `${severity}: ${finding}`)
    .join('\n');
}

async function assertSaid(queue: Fixture, check: string, severity: Severity, text: RegExp): Promise<void> {
  const all = await said(queue, check);
  assert.match(all, new RegExp(`^${severity}: `), check);
  assert.match(all, text);
}

test('a queue that is well has no error, and the exit code is 0', async (t) => {
  const queue = await setUp(t, { persistent: true, config: { maxmemory: '1gb' } });
  await queue.consume();
  await queue.appendMany(10, {});
  await queue.counted('done', 10);
  const { code, stdout } = await queue.program(['doctor']);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok {7}persistence {5}append-only file, appendfsync always/m);
  assert.match(stdout, /^ok {7}consumers {7}1 live consumer; /m);
  assert.match(stdout, /^errors 0, /m);
  const quiet = await queue.sluice(['doctor', '--quiet']);
  assert.doesNotMatch(quiet.stdout, /^ok /m);
});

test('errors have a remedy, and the exit code is 1', async (t) => {
  const queue = await setUp(t, { config: { maxmemory: '1gb', 'maxmemory-policy': 'allkeys-lru' } });
  const { code, stdout } = await queue.sluice(['doctor', '--json']);
  assert.equal(code, 1);
  const errors = JSON.parse(stdout).findings.filter((one: { severity: string }) => one.severity === 'error');
  assert.deepEqual(
    errors.map((one: { check: string }) => one.check),
    ['eviction', 'persistence'],
  );
  for (const { remedy } of errors) assert.match(remedy, /CONFIG SET/);
});

test('warnings fail with --strict only', async (t) => {
  const queue = await setUp(t, { persistent: true });
  assert.equal((await queue.sluice(['doctor'])).code, 0);
  assert.equal((await queue.program(['doctor', '--strict'])).code, 1);
});

test('eviction that could happen, and that has happened', async (t) => {
  const queue = await setUp(t, { config: { 'maxmemory-policy': 'volatile-lru' } });
  await assertSaid(queue, 'eviction', 'warning', /idempotency keys among them/);
  await queue.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await assertSaid(queue, 'eviction', 'error', /deletes whole streams/);
  await queue.redis.config('SET', 'maxmemory', '2mb');
  for (let i = 0; i < 40; i++) await queue.redis.set(`key${i}`, 'x'.repeat(100_000));
  await assertSaid(queue, 'eviction', 'error', /^error: \d+ keys were evicted/);
});

test('memory that is nearly used up', async (t) => {
  const queue = await setUp(t);
  await assertSaid(queue, 'memory', 'warning', /maxmemory is not set/);
  // Not sent as a value, which Redis would hold once more, in the buffer of the connection, and for a while.
  await queue.redis.setrange('ballast', 20_000_000, 'x');
  const used = Number(/used_memory:(\d+)/.exec(await queue.redis.info('memory'))?.[1]);
  await queue.redis.config('SET', 'maxmemory', Math.round(used / 0.8));
  await assertSaid(queue, 'memory', 'warning', /\(\d+ %\)$/);
  await queue.redis.config('SET', 'maxmemory', Math.round(used / 0.95));
  await assertSaid(queue, 'memory', 'error', /soon Redis refuses new tasks/);
});

test('persistence that loses much', async (t) => {
  const queue = await setUp(t);
  await assertSaid(queue, 'persistence', 'error', /a restart of Redis loses every task/);
  await queue.redis.config('SET', 'save', '3600 1');
  await assertSaid(queue, 'persistence', 'warning', /snapshots only \(save 3600 1\)/);
  await queue.redis.config('SET', 'appendonly', 'yes');
  await queue.redis.config('SET', 'appendfsync', 'no');
  await assertSaid(queue, 'persistence', 'warning', /half a minute/);
  await queue.redis.config('SET', 'appendfsync', 'everysec');
  await assertSaid(queue, 'persistence', 'ok', /everysec/);
});

test('a disk that does not take the snapshot', async (t) => {
  const queue = await setUp(t);
  await mkdir(join(queue.server.dir, 'dump.rdb')); // where it would have to go
  await queue.redis.bgsave();
  await waitFor(async () => (await queue.redis.info('persistence')).includes('rdb_last_bgsave_status:err'), {
    timeoutMs: 20_000,
    what: 'the snapshot to fail',
  });
  await assertSaid(queue, 'disk', 'error', /saving a snapshot has failed/);
});

test('replicas: a server that is one, and one that lacks them', async (t) => {
  const queue = await setUp(t);
  await assertSaid(queue, 'replication', 'note', /no replicas/);
  await queue.redis.config('SET', 'min-replicas-to-write', '1');
  await assertSaid(queue, 'replication', 'error', /NOREPLICAS/);
  await queue.redis.config('SET', 'min-replicas-to-write', '0');
  const primary = await startRedis();
  t.after(() => primary.stop());
  await queue.redis.replicaof('127.0.0.1', primary.port);
  await waitFor(async () => (await queue.redis.info('replication')).includes('master_link_status:up'), {
    timeoutMs: 20_000,
    what: 'the replica to connect',
  });
  await assertSaid(queue, 'replication', 'error', /this server is a replica of 127\.0\.0\.1/);
});

test('keys of a wrong type, and names of another queue', async (t) => {
  const queue = await setUp(t);
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0', 'MKSTREAM');
  await queue.redis.set('tasks:stream:mail', 'x');
  await queue.redis.set('tasks:dlq', 'x');
  await queue.redis.set(queue.keys.retries('tasks:stream', 'processors'), 'x');
  await queue.redis.set('tasks:stream:scheduled:tasks', 'x');
  const types = await said(queue, 'key types');
  for (const key of [
    'tasks:stream:mail',
    'tasks:dlq',
    'tasks:stream:retries:processors',
    'tasks:stream:scheduled:tasks',
  ]) {
    assert.ok(types.includes(`error: ${key} is a string`), types);
  }
  await queue.redis.xadd('tasks', '*', 'a', 'b');
  await queue.redis.xadd('tasks:stream:mail:urgent', '*', 'a', 'b');
  await assertSaid(queue, 'names', 'warning', /^warning: tasks:stream:mail:urgent, tasks: 2 streams/);
});

test('delayed tasks that nobody promotes', async (t) => {
  const queue = await setUp(t);
  await queue.delay({}, 60_000);
  await assertSaid(queue, 'delayed tasks', 'ok', /1 delayed task, none past due/);
  await queue.delay({}, -10_000, 'mail');
  await assertSaid(queue, 'delayed tasks', 'error', /^error: 1 delayed task of tasks:stream:mail past due/);
});

test('a stream that no group reads, and a group without consumers', async (t) => {
  const queue = await setUp(t);
  await assertSaid(queue, 'readers', 'warning', /there is no stream tasks:stream/);
  await queue.append({});
  await assertSaid(queue, 'readers', 'error', /no group reads tasks:stream: 1 task of type default/);
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0');
  await assertSaid(queue, 'readers', 'ok', /1 stream, each read/);
  await assertSaid(
    queue,
    'consumers',
    'error',
    /no live consumer of group processors on tasks:stream, 1 task open/,
  );
});

test('retries that nobody takes', async (t) => {
  const queue = await setUp(t);
  const consumer = await queue.consume({ backoffBaseSeconds: 60, backoffMaxSeconds: 60 });
  await queue.append({ do: 'throw' });
  await queue.counted('retried', 1);
  await assertSaid(queue, 'retries', 'ok', /no retry/);
  await consumer.stop();
  const [id = ''] = await queue.redis.zrange(queue.keys.retries('tasks:stream', 'processors'), '0', '-1');
  await queue.redis.zadd(queue.keys.retries('tasks:stream', 'processors'), 1000, id);
  await assertSaid(
    queue,
    'retries',
    'error',
    /^error: 1 retry of tasks:stream for group processors past due/,
  );
});

test('dead letters, and old ones', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.append({ do: 'give-up' });
  await queue.counted('dead', 1);
  await assertSaid(queue, 'dead letters', 'note', /1 dead letter, the oldest \d s old/);
  await queue.redis.del('tasks:dlq');
  await queue.redis.xadd('tasks:dlq', '1000-0', 'a', 'b');
  await assertSaid(queue, 'dead letters', 'warning', /\d+ days old: nothing removes them but you/);
});

test('a ledger that does not add up', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.append({});
  await queue.counted('done', 1);
  await queue.redis.hincrby(queue.keys.ledger('tasks:stream', 'processors'), 'done', 5);
  await assertSaid(queue, 'ledger', 'error', /group processors: accepted 1 ≠ done 6/);
});

test('connections that run out', async (t) => {
  const queue = await setUp(t, { config: { maxclients: '10' } });
  const clients = Array.from({ length: 9 }, () => new Redis(queue.server.url));
  t.after(() => {
    for (const client of clients) client.disconnect();
  });
  await Promise.all(clients.map((client) => client.ping()));
  await assertSaid(queue, 'connections', 'error', /10 connections of at most 10/);
});

test('a server where little is allowed is looked at as far as it lets us', async (t) => {
  const queue = await setUp(t, { persistent: true });
  await queue.redis.call('ACL', 'SETUSER', 'guest', 'on', '>secret', '~*', '+@all', '-config', '-command');
  const url = queue.server.url.replace('redis://', 'redis://guest:secret@');
  const { code, stdout } = await queue.sluice(['doctor', '--redis', url]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /CONFIG is not allowed/);
});
