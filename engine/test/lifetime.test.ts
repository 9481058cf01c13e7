import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { createEngine } from '@sluice/engine';
import { freePort, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { acceptedIds, postBatch } from './batch-fixture.js';
import { post, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';
const own = () => ({ redisUrl: redis.server.url, host: '127.0.0.1', port: 0, shutdownDelaySeconds: 0 });

test('an engine started twice listens once, and stops', async () => {
  const engine = createEngine(own());
  const [first, second] = await Promise.all([engine.start(), engine.start()]);
  assert.deepEqual(first, second);
  assert.equal(await engine.stop(), 0);
  await assert.rejects(fetch(`${first.url}/livez`));
});

test('stopped twice, at once or before it started, an engine stops', async () => {
  const engine = createEngine(own());
  void engine.start();
  assert.deepEqual(await Promise.all([engine.stop(), engine.stop()]), [0, 0]);
  assert.equal(await createEngine(own()).stop(), 0);
  await assert.rejects(engine.start(), /cannot start again: create another one/);
});

test('a start that failed can be tried again, and the engine then sees a Redis that hangs', async (t) => {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  const server = await startRedis();
  t.after(() => server.stop());
  const engine = createEngine({ ...own(), redisUrl: server.url, port, appendTimeoutSeconds: 2 });
  t.after(() => engine.stop());
  await assert.rejects(engine.start(), /cannot listen on 127\.0\.0\.1/);
  await new Promise((closed) => holder.close(closed));
  const { url } = await engine.start();
  await waitFor(() => engine.ready, { timeoutMs: 20_000, what: 'the engine to be ready' });
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
  server.pause();
  assert.equal((await post(`${url}/tasks`, BODY)).body.error?.code, 'APPEND_UNCONFIRMED');
  server.resume();
});

test('two engines in one process work side by side, and one goes on when the other stops', async (t) => {
  const first = await runEngine(t, redis.server.url);
  const second = await runEngine(t, redis.server.url);
  assert.equal((await post(`${first.url}/tasks`, BODY)).status, 202);
  await first.engine.stop();
  assert.equal((await post(`${second.url}/tasks`, BODY)).status, 202);
  assert.equal(await redis.client.xlen(first.stream), 1);
  assert.equal(await redis.client.xlen(second.stream), 1);
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

for (const host of ['::1', '::']) {
  test(`listening on ${host}, says a URL that works`, { skip: !hasIpv6 && 'no IPv6 here' }, async (t) => {
    const { url } = await runEngine(t, redis.server.url, { host });
    assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
  });
}

test('a listener that throws costs a warning, and every request is answered', async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const seen = new Set<string>();
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const { url, engine, port } = await runEngine(t, server.url, {
    maxInFlightRequests: 1,
    listener: (event) => {
      seen.add(event.type);
      throw new Error('broken listener');
    },
  });

  const holding = connect(port, '127.0.0.1');
  t.after(() => holding.destroy());
  const head = `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;
  holding.write(head);
  const inFlight = () => engine.counters.inFlightRequests;
  await waitFor(() => inFlight() === 1, { timeoutMs: 20_000, what: 'a request to be in flight' });
  assert.equal((await post(`${url}/tasks`, BODY)).status, 503);
  holding.write(BODY);
  await waitFor(() => inFlight() === 0, { timeoutMs: 20_000, what: 'it to be answered' });
  await client.config('SET', 'maxmemory', '1mb');
  assert.equal((await post(`${url}/tasks`, BODY)).body.error?.code, 'APPEND_REFUSED');
  await client.config('SET', 'maxmemory', '0');
  await server.restart();
  await waitFor(() => seen.has('redis-back'), { timeoutMs: 20_000, what: 'the engine to be back' });
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
  assert.ok(seen.has('shedding-started') && seen.has('append-refused') && seen.has('redis-lost'));
  assert.ok(warnings.some((warning) => warning.includes('redis-lost: broken listener')));
  assert.equal(engine.counters.inFlightRequests, 0);
});

test('a stop in the middle of a batch lets all of it through, and answers it', async (t) => {
  const { url, engine, stream } = await runEngine(t, redis.server.url);
  const reply = postBatch(
    `${url}/tasks/batch`,
    JSON.stringify(Array.from({ length: 8000 }, (_, n) => ({ data: n }))),
  );
  while (engine.counters.requests === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await engine.stop(), 0);
  const { status, body } = await reply;
  assert.deepEqual([status, body.accepted], [202, 8000]);
  const entries = await redis.client.xrange(stream, '-', '+');
  assert.deepEqual(
    entries.map(([, fields]) => fields[1]),
    acceptedIds({ status, body, retryAfter: null }),
  );
});
