import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import type { Redis } from 'ioredis';
import { post, redisForFile, runProgram } from './fixture.js';

const redis = redisForFile();

async function appendTasks(url: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) assert.equal((await post(`${url}/tasks`, `{"data":${n}}`)).status, 202);
}

/** Reads so many entries for a group; returns their ids. */
async function read(client: Redis, stream: string, group: string, count: number): Promise<string[]> {
  const reply = (await client.xreadgroup('GROUP', group, 'me', 'COUNT', count, 'STREAMS', stream, '>')) as [
    string,
    [string, string[]][],
  ][];
  return (reply[0]?.[1] ?? []).map(([id]) => id);
}

async function idsOf(client: Redis, stream: string): Promise<string[]> {
  return (await client.xrange(stream, '-', '+')).map(([id]) => id);
}

test('trims only what every group has acknowledged', async (t) => {
  const { url, stream } = await runProgram(t, redis.server.url);
  const { client } = redis;
  await client.xgroup('CREATE', stream, 'first', '0', 'MKSTREAM');
  await client.xgroup('CREATE', stream, 'second', '0');
  await appendTasks(url, 6);

  const ids = await read(client, stream, 'first', 6);
  await client.xack(stream, 'first', ...ids);
  const seen = await read(client, stream, 'second', 4);
  await client.xack(stream, 'second', seen[0] as string, seen[1] as string, seen[3] as string);

  // What goes: the two at the front that both groups acknowledged. The third is pending, the last two unread.
  await waitFor(async () => (await client.xlen(stream)) === 4, {
    timeoutMs: 20_000,
    what: 'two entries to be trimmed',
  });
  assert.deepEqual(await idsOf(client, stream), ids.slice(2));

  await client.xack(stream, 'second', seen[2] as string);
  await waitFor(async () => (await client.xlen(stream)) === 2, {
    timeoutMs: 20_000,
    what: 'two more to be trimmed',
  });
  assert.deepEqual(await idsOf(client, stream), ids.slice(4));
});

test('removes old acknowledged entries from behind one that is still pending', async (t) => {
  const { url, stream } = await runProgram(t, redis.server.url, { STREAM_RETENTION: '0.2' });
  const { client } = redis;
  await client.xgroup('CREATE', stream, 'first', '0', 'MKSTREAM');
  await client.xgroup('CREATE', stream, 'second', '0');
  await appendTasks(url, 5);
  const ids = await read(client, stream, 'first', 5);
  await client.xack(stream, 'first', ...ids);
  await read(client, stream, 'second', 4);
  await client.xack(stream, 'second', ids[1] as string, ids[3] as string);
  await waitFor(async () => (await client.xlen(stream)) === 3, {
    timeoutMs: 20_000,
    what: 'two entries to be removed',
  });
  assert.deepEqual(await idsOf(client, stream), [ids[0], ids[2], ids[4]]);
});

test('leaves a stream alone that nobody reads yet', async (t) => {
  const { url, stream } = await runProgram(t, redis.server.url, { STREAM_RETENTION: '0' });
  const { client } = redis;
  await appendTasks(url, 3);
  // Two rounds of the trimmer, as Redis counts them.
  const calls = async (): Promise<number> => {
    const stats = /cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'));
    return Number(stats?.[1] ?? 0);
  };
  const before = await calls();
  await waitFor(async () => (await calls()) >= before + 2, {
    timeoutMs: 20_000,
    what: 'the trimmer to run twice',
  });
  assert.equal(await client.xlen(stream), 3);
});
