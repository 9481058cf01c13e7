import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RedisServer, startRedis } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { StreamWatch } from '#bench/peers/stream-watch.js';

let server: RedisServer;
let client: Redis;
before(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
after(async () => {
  client.disconnect();
  await server.stop();
});

test('a load adds up when each 202 has its entry, even one that was trimmed or came late', async (t) => {
  const watch = await StreamWatch.open(server.url, 'true');
  t.after(() => watch.close());
  for (let n = 0; n < 10; n++) await client.xadd('true', '*', 'n', n);
  await client.xtrim('true', 'MAXLEN', 0);
  const verified = watch.verify(11, 0);
  await client.xadd('true', '*', 'n', 10);
  await verified;
});

test('a server that answers 202 without appending is found out', async (t) => {
  const watch = await StreamWatch.open(server.url, 'false');
  t.after(() => watch.close());
  for (let n = 0; n < 10; n++) await client.xadd('false', '*', 'n', n);
  await assert.rejects(watch.verify(11, 64), {
    name: 'BenchFault',
    message: /^1 of 11 tasks were answered 202/,
  });
});

test('entries that nobody sent are found out', async (t) => {
  const watch = await StreamWatch.open(server.url, 'more');
  t.after(() => watch.close());
  for (let n = 0; n < 10; n++) await client.xadd('more', '*', 'n', n);
  await assert.rejects(watch.verify(7, 2), { name: 'BenchFault', message: /^1 entries too many/ });
});
