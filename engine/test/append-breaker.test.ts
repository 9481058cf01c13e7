import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineTaskType } from '@sluice/contract';
import { FAULTY_REDIS, REDIS_FAULTS, type RedisFault, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { Type } from 'typebox';
import { postBatch } from './batch-fixture.js';
import { post, type Reply, redisForFile, runEngine } from './fixture.js';

// A Redis that is there and refuses tasks: it is left alone, and found out when it takes them again.

const redis = redisForFile();

interface Health {
  status: string;
  redis_connected: boolean;
  redis: { breaker: string; refused: { stream: string; breaker: string; cause: string }[] };
}

async function healthOf(url: string): Promise<Health> {
  return (await (await fetch(`${url}/health`)).json()) as Health;
}

/** How often Redis was asked to append, taken or refused. */
async function appendsAsked(client: Redis): Promise<number> {
  const stats = await client.info('commandstats');
  const line = /^cmdstat_xadd:.*$/m.exec(stats)?.[0] ?? '';
  return Number(/:calls=(\d+)/.exec(line)?.[1] ?? 0) + Number(/rejected_calls=(\d+)/.exec(line)?.[1] ?? 0);
}

const NOPERM: RedisFault = {
  name: 'NOPERM',
  begin: ({ redis: client }) => client.call('ACL', 'SETUSER', 'default', '-xadd'),
  end: ({ redis: client }) => client.call('ACL', 'SETUSER', 'default', '+xadd'),
};
/** Those that are error replies on a connection which stays. */
const FAULTS = [...REDIS_FAULTS, NOPERM].filter(({ name }) => /^(OOM|MISCONF|WRONGTYPE|NOPERM)/.test(name));

for (const { name, begin, end } of FAULTS) {
  const cause = name.split(' ', 1)[0] ?? '';
  test(`${name}: refused at once and by name, hardly asked any more, and taken again within seconds`, async (t) => {
    const server = await startRedis(FAULTY_REDIS);
    t.after(() => server.stop());
    const client = new Redis(server.url, { protocol: 2 });
    t.after(() => client.disconnect());
    const { url, stream, engine, events } = await runEngine(t, server.url, { redisMemoryWatermark: 1 });
    assert.equal((await post(`${url}/tasks`, '{"data":0}')).status, 202);
    const target = { server, redis: client, redisDir: server.dir, stream };
    await begin(target);
    const before = await appendsAsked(client);

    const replies: Reply[] = [];
    const startedAt = performance.now();
    while (replies.length < 600) {
      replies.push(
        ...(await Promise.all(Array.from({ length: 20 }, () => post(`${url}/tasks`, '{"data":1}')))),
      );
    }
    const tookMs = performance.now() - startedAt;
    for (const { status, body, headers } of replies) {
      assert.deepEqual([status, body.error?.code, headers.get('retry-after')], [503, 'APPEND_REFUSED', '1']);
      assert.match(body.error?.message ?? '', new RegExp(`\\(${cause}\\)`));
    }
    // Those of the first moment, which were under way together, and a probe each half second.
    const asked = (await appendsAsked(client)) - before;
    assert.ok(asked <= 40 + tookMs / 500, `Redis was asked ${asked} times`);
    assert.equal(events.filter((event) => event.type === 'breaker-opened').length, 1);
    assert.equal(engine.counters.breakerOpened, 1);

    const health = await healthOf(url);
    assert.deepEqual([health.status, health.redis_connected], ['healthy', true]);
    assert.notEqual(health.redis.breaker, 'closed');
    assert.deepEqual(
      health.redis.refused.map((one) => [one.stream, one.cause]),
      [[stream, cause]],
    );
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const batch = await postBatch(`${url}/tasks/batch`, '[{"data":1},{"data":2}]');
    assert.deepEqual([batch.status, batch.body.error?.code], [503, 'APPEND_REFUSED']);

    await end(target);
    await waitFor(async () => (await post(`${url}/tasks`, '{"data":2}')).status === 202, {
      timeoutMs: 20_000,
      what: 'a 202',
    });
    assert.equal((await postBatch(`${url}/tasks/batch`, '[{"data":1},{"data":2}]')).status, 202);
    assert.equal(await client.xlen(stream), 4);
    assert.deepEqual((await healthOf(url)).redis, { breaker: 'closed', refused: [] });
    assert.equal(events.filter((event) => event.type === 'breaker-closed').length, 1);
  });
}

test('READONLY: every request is answered in time, and tasks are taken again without a restart', async (t) => {
  const [server, master] = [await startRedis(), await startRedis()];
  t.after(() => Promise.all([server.stop(), master.stop()]));
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const { url, events } = await runEngine(t, server.url, { appendBreakerRefusals: 3 });
  await client.replicaof('127.0.0.1', master.port);
  await waitFor(
    async () => {
      const { status, body } = await post(`${url}/tasks`, '{"data":1}');
      assert.equal(status, 503);
      assert.match(body.error?.code ?? '', /^(APPEND_REFUSED|REDIS_UNAVAILABLE|APPEND_UNCONFIRMED)$/);
      return events.some((event) => event.type === 'breaker-opened' && event.reason.startsWith('READONLY'));
    },
    { timeoutMs: 20_000, what: 'the breaker to open' },
  );
  await client.replicaof('NO', 'ONE');
  await waitFor(async () => (await post(`${url}/tasks`, '{"data":2}')).status === 202, {
    timeoutMs: 20_000,
    what: 'a 202',
  });
});

test('one stream that is refused does not shut the other', async (t) => {
  const broken = defineTaskType('broken', Type.Unknown());
  const { url, stream } = await runEngine(t, redis.server.url, {
    taskTypes: [broken],
    appendBreakerRefusals: 5,
    appendBreakerProbeSeconds: 60,
  });
  await redis.client.set(`${stream}:broken`, 'no stream');
  for (let round = 0; round < 5; round++) {
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, n) => post(`${url}/tasks${n % 2 === 0 ? '' : '/broken'}`, '{"data":1}')),
    );
    for (const [n, { status }] of replies.entries()) assert.equal(status, n % 2 === 0 ? 202 : 503);
  }
  assert.equal(await redis.client.xlen(stream), 100);
  assert.deepEqual((await healthOf(url)).redis, {
    breaker: 'open',
    refused: [{ stream: `${stream}:broken`, breaker: 'open', cause: 'WRONGTYPE' }],
  });
});

test('delayed tasks and those with a key that may not be stored do not shut out the others', async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const { url } = await runEngine(t, server.url, { appendBreakerRefusals: 2, appendBreakerProbeSeconds: 60 });
  await client.call('ACL', 'SETUSER', 'default', '-eval');
  for (let n = 0; n < 5; n++) {
    const reply = await post(`${url}/tasks`, '{"data":1,"delay":5}');
    assert.match(reply.body.error?.message ?? '', /\(NOPERM\)/);
    const keyed = await post(`${url}/tasks`, '{"data":1}', undefined, { 'Idempotency-Key': `${n}` });
    assert.equal(keyed.status, 503);
  }
  assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 202);
});

test('control: without a breaker, Redis is asked each time', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { appendBreakerRefusals: 0 });
  await redis.client.set(stream, 'no stream');
  const before = await appendsAsked(redis.client);
  for (let n = 0; n < 100; n++) assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 503);
  assert.equal((await appendsAsked(redis.client)) - before, 100);
});
