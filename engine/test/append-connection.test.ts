import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createEngine } from '@sluice/engine';
import { startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { post, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';
const PASSWORD = 'p@ss/w:rd%ü';

test('a user with a name, a password of any letters and a database of its own', async (t) => {
  await redis.client.call('ACL', 'SETUSER', 'al@ice', 'on', `>${PASSWORD}`, '~*', '+@all');
  const user = `${encodeURIComponent('al@ice')}:${encodeURIComponent(PASSWORD)}`;
  const { url, stream } = await runEngine(t, `redis://${user}@127.0.0.1:${redis.server.port}/5`);
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
  const client = new Redis(redis.server.port, { db: 5 });
  t.after(() => client.disconnect());
  assert.equal(await client.xlen(stream), 1);
});

test('a user that may do nothing but append: tasks are taken', async (t) => {
  await redis.client.call('ACL', 'SETUSER', 'writer', 'on', '>x', '~*', '+ping', '+xadd');
  const { url } = await runEngine(t, `redis://writer:x@127.0.0.1:${redis.server.port}`);
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
});

test('a database that Redis does not have: 503, and the reason in an event', async (t) => {
  const reasons: string[] = [];
  const engine = createEngine({
    redisUrl: `${redis.server.url}/99`,
    host: '127.0.0.1',
    port: 0,
    shutdownDelaySeconds: 0,
    listener: (event) => {
      if (event.type === 'redis-lost') reasons.push(event.reason);
    },
  });
  t.after(() => engine.stop());
  const { url } = await engine.start();
  await waitFor(() => reasons.length > 0, { timeoutMs: 20_000, what: 'the reason' });
  assert.deepEqual(reasons, ['ERR DB index is out of range']);
  assert.equal((await post(`${url}/tasks`, BODY)).body.error?.code, 'REDIS_UNAVAILABLE');
});

test('a Redis that answers too slowly: what has waited for its own reply for too long is answered 503', async (t) => {
  const port = await startSlowRedis(t, 100);
  const { url } = await runEngine(t, `redis://127.0.0.1:${port}`, { appendTimeoutSeconds: 0.35 });
  const replies = await Promise.all(Array.from({ length: 20 }, () => post(`${url}/tasks`, BODY)));
  // One reply every 100 ms: the last would come after 2 s, without Redis ever being silent for long.
  const codes = replies.map(({ status, body }) => body.error?.code ?? status);
  assert.ok(codes.includes(202));
  assert.ok(codes.includes('APPEND_UNCONFIRMED'));
});

test('a Redis that stays read-only is asked less and less often', async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const { url, events } = await runEngine(t, server.url);
  await client.replicaof('127.0.0.1', 1);
  const lost = () => events.filter((event) => event.type === 'redis-lost').length;
  const startedAt = performance.now();
  await waitFor(
    async () => {
      await post(`${url}/tasks`, BODY);
      return lost() === 6;
    },
    { timeoutMs: 20_000, what: 'the connection to be given up six times' },
  );
  // 25 + 50 + 100 + 200 + 400 ms between them; 5 × 25 if each were like the first.
  assert.ok(performance.now() - startedAt > 700);
});

/** Something that greets like Redis and then confirms one append every so many milliseconds. */
async function startSlowRedis(t: TestContext, everyMs: number): Promise<number> {
  const server: Server = createServer((socket) => {
    let due = 0;
    const timer = setInterval(() => {
      if (due === 0) return;
      due--;
      socket.write('$3\r\n1-1\r\n');
    }, everyMs);
    socket.on('close', () => clearInterval(timer));
    socket.on('error', () => {}); // given up by the other side, as it should be
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      const appends = text.split('XADD').length - 1;
      due += appends;
      if (appends === 0) socket.write('+OK\r\n'.repeat(text.match(/\*\d+\r\n/g)?.length ?? 0));
    });
  });
  t.after(() => server.close());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
