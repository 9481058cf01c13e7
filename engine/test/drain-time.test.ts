import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@sluice/testbed';
import type { Redis } from 'ioredis';
import { post, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';
const DRAIN_EVERY_MS = 50;

/** Works a stream off at a steady rate, as consumers do: acknowledged entries are deleted. */
function drain(client: Redis, stream: string, perSecond: number): { stop(): Promise<void> } {
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      const entries = await client.xrange(stream, '-', '+', 'COUNT', (perSecond * DRAIN_EVERY_MS) / 1000);
      if (entries.length > 0) await client.xdel(stream, ...entries.map(([id]) => id));
      await delay(DRAIN_EVERY_MS);
    }
  };
  const ended = loop();
  return {
    stop: async () => {
      isOver = true;
      await ended;
    },
  };
}

/** Leaves Redis a twentieth of its memory, until the test ends. */
async function leaveLittleMemory(t: TestContext, client: Redis): Promise<void> {
  await client.setrange('ballast', 20_000_000, 'x'); // so that a twentieth is more than a few connections take
  const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', String(Math.round(used / 0.95)));
  t.after(async () => {
    await client.config('SET', 'maxmemory', '0');
    await client.del('ballast');
  });
}

const fill = (client: Redis, stream: string, count: number) => {
  const pipeline = client.pipeline();
  for (let i = 0; i < count; i++) pipeline.xadd(stream, '*', 'payload', BODY);
  return pipeline.exec();
};

test('a backlog that takes too long to work off is not added to, and Retry-After says when there is room', async (t) => {
  const { url, stream, events } = await runEngine(t, redis.server.url, { maxDrainSeconds: 2 });
  await fill(redis.client, stream, 3000);
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202, 'the rate is not known yet: depth decides');
  const consumers = drain(redis.client, stream, 200);
  t.after(() => consumers.stop());
  let refused = await post(`${url}/tasks`, BODY);
  await waitFor(
    async () => {
      refused = await post(`${url}/tasks`, BODY);
      return refused.status === 503;
    },
    { timeoutMs: 20_000, what: 'the rate to be known' },
  );
  assert.equal(refused.body.error?.code, 'OVERLOADED');
  // 3,000 tasks at 200 a second or, on a busy machine, less; two seconds' worth of them may stay.
  const retryAfter = Number(refused.headers.get('retry-after'));
  assert.ok(retryAfter >= 5 && retryAfter <= 300, `Retry-After: ${retryAfter}`);
  assert.ok(events.some((event) => event.type === 'shedding-started' && event.reason === 'drain-time'));
  const before = await redis.client.xlen(stream);
  assert.equal((await post(`${url}/tasks`, BODY)).status, 503);
  assert.ok((await redis.client.xlen(stream)) <= before, 'nothing was appended');

  await redis.client.xtrim(stream, 'MAXLEN', 50); // as if more consumers had come
  await waitFor(async () => (await post(`${url}/tasks`, BODY)).status === 202, {
    timeoutMs: 20_000,
    what: 'a task to be taken again',
  });
});

test('without MAX_DRAIN_SECONDS only the depth counts, however slow the consumers are', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  await fill(redis.client, stream, 3000);
  const consumers = drain(redis.client, stream, 20);
  t.after(() => consumers.stop());
  const left = await redis.client.xlen(stream);
  await waitFor(async () => (await redis.client.xlen(stream)) <= left - 20, {
    timeoutMs: 20_000,
    what: 'a second of work',
  });
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
});

test('tasks are refused while Redis has little memory left, so that what is queued can be settled', async (t) => {
  const { url, stream, events } = await runEngine(t, redis.server.url);
  await leaveLittleMemory(t, redis.client);
  let answer = await post(`${url}/tasks`, BODY);
  await waitFor(
    async () => {
      answer = await post(`${url}/tasks`, BODY);
      return answer.status === 503;
    },
    { timeoutMs: 20_000, what: 'the look at the memory' },
  );
  assert.equal(answer.body.error?.code, 'OVERLOADED');
  assert.equal(answer.headers.get('retry-after'), '5');
  assert.ok(events.some((event) => event.type === 'shedding-started' && event.reason === 'redis-memory'));
  const stored = await redis.client.xlen(stream);
  await post(`${url}/tasks`, BODY);
  assert.equal(await redis.client.xlen(stream), stored);

  await redis.client.config('SET', 'maxmemory', '0');
  await waitFor(async () => (await post(`${url}/tasks`, BODY)).status === 202, {
    timeoutMs: 20_000,
    what: 'a task to be taken again',
  });
});

test('with a watermark of 1, tasks are taken until Redis itself refuses', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { redisMemoryWatermark: 1 });
  await leaveLittleMemory(t, redis.client);
  await delay(2500); // two looks that the engine does not take
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
});
