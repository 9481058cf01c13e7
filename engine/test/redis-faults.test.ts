import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { defineTaskType } from '@sluice/contract';
import { createEngine } from '@sluice/engine';
import {
  type Answer,
  FAULTY_REDIS,
  REDIS_FAULTS,
  startLoad,
  startRedis,
  startTcpProxy,
  waitFor,
} from '@sluice/testbed';
import { Redis } from 'ioredis';
import { Type } from 'typebox';
import { post, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const accepted = (answer: Answer): boolean => answer.status === 202;
const refused = (answer: Answer): boolean => answer.status !== 202;

/** Ids that were answered 202 but are not in the stream. */
async function missing(client: Redis, stream: string, answers: readonly Answer[]): Promise<string[]> {
  const stored = new Set<string>();
  for (const [, fields] of await client.xrange(stream, '-', '+'))
    stored.add(fields[fields.indexOf('task_id') + 1] ?? '');
  return answers
    .filter(accepted)
    .map((answer) => answer.taskId ?? '')
    .filter((id) => !stored.has(id));
}

function assertRefusedHonestly(answers: readonly Answer[]): void {
  for (const answer of answers.filter(refused)) {
    assert.equal(answer.status, 503);
    assert.match(answer.code ?? '', /^(REDIS_UNAVAILABLE|APPEND_UNCONFIRMED|APPEND_REFUSED)$/);
    assert.equal(answer.retryAfter, '1');
  }
}

/** The engine runs in this very process: what makes one stand still is no fault of the other. */
function watchForStandstill(t: TestContext): { mostMs(): number } {
  const delays = monitorEventLoopDelay();
  delays.enable();
  t.after(() => delays.disable());
  return { mostMs: () => (2 * delays.max) / 1e6 };
}

for (const fault of REDIS_FAULTS) {
  test(`${fault.name}: refused honestly, what is answered 202 is stored, and accepted again within 5 s`, async (t) => {
    const server = await startRedis(FAULTY_REDIS);
    const client = new Redis(server.url, {
      protocol: 2,
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
    });
    client.on('error', () => {}); // some faults take it away
    t.after(async () => {
      client.disconnect();
      await server.stop();
    });
    const { url, stream } = await runEngine(t, server.url, {
      appendTimeoutSeconds: 0.5,
      redisMemoryWatermark: 1, // or it may see the OOM first
    });
    const still = watchForStandstill(t);
    const load = startLoad({ url });
    await load.until(accepted, 100);
    const target = { server, redis: client, redisDir: server.dir, stream };
    const begunAt = performance.now();
    await fault.begin(target);
    if (fault.harmless === undefined) await load.until((one) => refused(one) && one.at > begunAt, 20);
    await fault.end(target);
    const endedAt = performance.now();
    await load.until((one) => accepted(one) && one.at > endedAt, 20);
    const recoveredAt = load.answers.find((one) => accepted(one) && one.at > endedAt)?.at ?? Number.NaN;
    const answers = await load.stop();
    assertRefusedHonestly(answers);
    const tookMs = recoveredAt - endedAt;
    assert.ok(tookMs < 5000 + still.mostMs(), `accepted again after ${tookMs} ms`);
    const counting = answers.filter((one) => !fault.forgets || one.at - one.tookMs > endedAt);
    assert.deepEqual(await missing(client, stream, counting), []);
  });
}

test('a failover: the old master turns read-only, and what is accepted from then on is in the new one', async (t) => {
  const [old, heir] = [await startRedis(), await startRedis()];
  const proxy = await startTcpProxy(old.port);
  const [atOld, atHeir] = [new Redis(old.url), new Redis(heir.url)];
  t.after(async () => {
    for (const client of [atOld, atHeir]) client.disconnect();
    await proxy.close();
    for (const server of [old, heir]) await server.stop();
  });
  await atHeir.replicaof('127.0.0.1', old.port);
  const { url, stream } = await runEngine(t, `redis://127.0.0.1:${proxy.port}`);
  const load = startLoad({ url });
  await load.until(accepted, 100);
  await waitFor(async () => Number(await atOld.wait(1, 100)) === 1, {
    timeoutMs: 20_000,
    what: 'the replica',
  });
  await atHeir.replicaof('NO', 'ONE');
  proxy.pointAt(heir.port);
  await atOld.replicaof('127.0.0.1', heir.port);
  const movedAt = performance.now();
  await load.until((one) => accepted(one) && one.at - one.tookMs > movedAt, 100);
  const answers = await load.stop();
  assertRefusedHonestly(answers);
  // Before that moment it is the loss window of asynchronous replication, which Sluice cannot close.
  const after = answers.filter((one) => one.at - one.tookMs > movedAt);
  assert.deepEqual(await missing(atHeir, stream, after), []);
});

test('a paused Redis: 503 with Retry-After within 2 s, no false 202, and back to work by itself', async (t) => {
  const { url, stream, events } = await runEngine(t, redis.server.url, { appendTimeoutSeconds: 1 });
  const still = watchForStandstill(t);
  const load = startLoad({ url });
  await load.until(accepted, 200);
  redis.server.pause();
  t.after(() => redis.server.resume());
  await load.until(refused, 200);
  redis.server.resume();
  const resumedAt = performance.now();
  await load.until((answer) => accepted(answer) && answer.at > resumedAt, 200);
  const answers = await load.stop();
  assertRefusedHonestly(answers);
  assert.ok(
    answers.every((answer) => answer.tookMs < 2000 + still.mostMs()),
    'every request was answered within 2 s',
  );
  assert.deepEqual(await missing(redis.client, stream, answers), []);
  assert.ok(
    events.some((event) => event.type === 'redis-lost') &&
      events.some((event) => event.type === 'redis-back'),
  );
});

test('a Redis killed and restarted: what was answered 202 is still there', async (t) => {
  const server = await startRedis({ persistent: true });
  t.after(() => server.stop());
  const { url, stream } = await runEngine(t, server.url);
  const load = startLoad({ url });
  for (let round = 0; round < 3; round++) {
    await load.until(accepted, 100);
    await server.kill();
    await load.until(refused, 50);
    await server.restart();
  }
  const backAt = performance.now();
  await load.until((answer) => accepted(answer) && answer.at > backAt, 100);
  const answers = await load.stop();
  assertRefusedHonestly(answers);
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  assert.deepEqual(await missing(client, stream, answers), []);
});

test('mode received loses tasks when Redis is killed, and the same ledger shows it', async (t) => {
  // The negative control of the test above: 202 before Redis has confirmed is a broken promise.
  const server = await startRedis({ persistent: true });
  t.after(() => server.stop());
  const proxy = await startTcpProxy(server.port);
  t.after(() => proxy.close());
  const { url, stream } = await runEngine(t, `redis://127.0.0.1:${proxy.port}`, {
    ackMode: 'received',
    appendTimeoutSeconds: 10,
  });
  const load = startLoad({ url });
  await load.until(accepted, 100);
  server.pause();
  const pausedAt = performance.now();
  await load.until((answer) => accepted(answer) && answer.at > pausedAt, 100);
  await server.kill();
  await server.restart();
  const answers = await load.stop();
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  assert.notDeepEqual(await missing(client, stream, answers), []);
});

test('replies that get lost: answered 503 as unconfirmed, and nothing is sent twice', async (t) => {
  const proxy = await startTcpProxy(redis.server.port);
  t.after(() => proxy.close());
  const { url, stream } = await runEngine(t, `redis://127.0.0.1:${proxy.port}`, {
    appendTimeoutSeconds: 0.3,
  });
  const load = startLoad({ url });
  for (let round = 0; round < 5; round++) {
    const before = performance.now();
    await load.until((answer) => accepted(answer) && answer.at > before, 50);
    proxy.dropReplies(true);
    await load.until((answer) => answer.code === 'APPEND_UNCONFIRMED' && answer.at > before, 10);
    proxy.dropReplies(false);
  }
  const before = performance.now();
  await load.until((answer) => accepted(answer) && answer.at > before, 50);
  const answers = await load.stop();
  assertRefusedHonestly(answers);
  assert.deepEqual(await missing(redis.client, stream, answers), []);
  const entries = await redis.client.xrange(stream, '-', '+');
  const ids = entries.map(([, fields]) => fields[fields.indexOf('task_id') + 1]);
  assert.equal(new Set(ids).size, ids.length, 'no task is in the stream twice');
});

test('a full Redis: appends are refused, and go on when there is room', async (t) => {
  const server = await startRedis({ config: { 'maxmemory-policy': 'noeviction' } });
  t.after(() => server.stop());
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const { url, stream } = await runEngine(t, server.url, { redisMemoryWatermark: 1 });
  assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 202);
  await client.config('SET', 'maxmemory', '1mb');
  const full = await post(`${url}/tasks`, '{"data":2}');
  assert.equal(full.status, 503);
  assert.equal(full.body.error?.code, 'APPEND_REFUSED');
  assert.equal(full.headers.get('retry-after'), '1');
  await client.config('SET', 'maxmemory', '0');
  assert.equal((await post(`${url}/tasks`, '{"data":3}')).status, 202);
  assert.equal(await client.xlen(stream), 2);
});

test('a Redis turned read-only and back: refused, then accepted, without a restart of ours', async (t) => {
  const server = await startRedis();
  const master = await startRedis();
  t.after(async () => {
    await server.stop();
    await master.stop();
  });
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const { url } = await runEngine(t, server.url);
  assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 202);
  await client.replicaof('127.0.0.1', master.port);
  const readOnly = await post(`${url}/tasks`, '{"data":2}');
  assert.equal(readOnly.status, 503);
  await client.replicaof('NO', 'ONE');
  await waitFor(async () => (await post(`${url}/tasks`, '{"data":3}')).status === 202, {
    timeoutMs: 20_000,
    what: 'a 202',
  });
});

test('a flushed Redis: intake goes on, into a new stream', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 202);
  await redis.client.flushall();
  assert.equal((await post(`${url}/tasks`, '{"data":2}')).status, 202);
  assert.equal(await redis.client.xlen(stream), 1);
});

test('a batch that succeeds in part: each task is answered by its own reply', async (t) => {
  const broken = defineTaskType('broken', Type.Unknown());
  const { url, stream } = await runEngine(t, redis.server.url, { taskTypes: [broken] });
  await redis.client.set(`${stream}:broken`, 'no stream');
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      post(`${url}/tasks${n % 2 === 0 ? '' : '/broken'}`, `{"data":${n}}`),
    ),
  );
  const statuses = replies.map((reply) => reply.status);
  assert.deepEqual(
    statuses,
    Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? 202 : 503)),
  );
  assert.equal(await redis.client.xlen(stream), 20);
});

test('a Redis that asks for a password: served with the right one, 503 with a wrong one', async (t) => {
  const server = await startRedis({ config: { requirepass: 's3cret' } });
  t.after(() => server.stop());
  const right = await runEngine(t, `redis://:s3cret@127.0.0.1:${server.port}`);
  assert.equal((await post(`${right.url}/tasks`, '{"data":1}')).status, 202);
  const wrong = createEngine({
    redisUrl: `redis://:wrong@127.0.0.1:${server.port}`,
    host: '127.0.0.1',
    port: 0,
  });
  t.after(() => wrong.stop());
  const { url } = await wrong.start();
  const reply = await post(`${url}/tasks`, '{"data":1}');
  assert.equal(reply.status, 503);
  assert.equal(reply.body.error?.code, 'REDIS_UNAVAILABLE');
});
