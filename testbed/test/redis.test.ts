import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort, type RedisOptions, type RedisServer, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';

const SOON = { timeoutMs: 20_000 };

async function server(t: TestContext, options?: RedisOptions): Promise<RedisServer> {
  const redis = await startRedis(options);
  t.after(() => redis.stop());
  return redis;
}

function connected(t: TestContext, { url }: RedisServer): Redis {
  const client = new Redis(url, { commandTimeout: 500, retryStrategy: () => 20, maxRetriesPerRequest: 0 });
  client.on('error', () => {}); // it is killed on purpose
  t.after(() => client.disconnect());
  return client;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a persistent Redis has kept every write when it was killed and started again', async (t) => {
  const redis = await server(t, { persistent: true });
  const client = connected(t, redis);
  const before = redis.pid;
  for (let n = 0; n < 100; n++) await client.xadd('s', '*', 'n', n);
  await redis.kill();
  assert.equal(isAlive(before), false);
  await redis.restart();
  assert.notEqual(redis.pid, before);
  await waitFor(async () => (await client.xlen('s')) === 100, { ...SOON, what: 'all that was written' });
});

test('a Redis that is not persistent is empty after that', async (t) => {
  const redis = await server(t);
  const client = connected(t, redis);
  await client.set('k', 'v');
  await redis.restart();
  await waitFor(async () => (await client.dbsize()) === 0, { ...SOON, what: 'the new one' });
});

test('settings are those of redis.conf, also after a restart', async (t) => {
  const redis = await server(t, { config: { maxmemory: '3mb', requirepass: 'p@ss/word' } });
  for (let round = 0; round < 2; round++) {
    const client = connected(t, redis);
    assert.deepEqual(await client.config('GET', 'maxmemory'), ['maxmemory', String(3 * 1024 * 1024)]);
    client.disconnect();
    await redis.restart();
  }
});

test('a paused Redis takes connections and answers nothing until it is resumed', async (t) => {
  const redis = await server(t);
  const client = connected(t, redis);
  await client.ping();
  redis.pause();
  await assert.rejects(client.ping(), /timed out/i);
  redis.resume();
  await waitFor(async () => (await client.ping()) === 'PONG', { ...SOON, what: 'an answer' });
});

test('a Redis that is stopped leaves neither process nor folder, paused or not', async () => {
  const redis = await startRedis({ persistent: true });
  redis.pause();
  await redis.stop();
  assert.equal(isAlive(redis.pid), false);
  assert.equal(existsSync(redis.dir), false);
  await redis.stop();
});

test('only this machine reaches it, on the port that was asked for', async (t) => {
  const port = await freePort();
  const redis = await server(t, { port });
  assert.equal(redis.port, port);
  const [, bind] = (await connected(t, redis).config('GET', 'bind')) as string[]; // name, value
  assert.equal(bind, '127.0.0.1');
});

test('one that does not start says what it printed, and leaves no folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-testbed-'));
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  t.after(async () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await rm(folder, { recursive: true });
  });
  await assert.rejects(
    startRedis({ config: { 'no-such-setting': '1' } }),
    /ended at its start.*no-such-setting/s,
  );
  const holder = createServer();
  const port = await freePort();
  await new Promise<void>((listening) => holder.listen(port, '127.0.0.1', listening));
  t.after(() => holder.close());
  await assert.rejects(startRedis({ port }), /ended at its start.*Address already in use/s);
  assert.deepEqual(await readdir(folder), []);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`a program that is ended by ${signal} leaves no Redis behind`, async (t) => {
    const source = `import { startRedis } from '@sluice/testbed';
      const { pid, dir } = await startRedis();
      console.log(JSON.stringify({ pid, dir }));`;
    const program = spawn(process.execPath, ['--input-type=module', '-e', source], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => program.kill('SIGKILL'));
    const [line] = await once(program.stdout, 'data');
    const { pid, dir } = JSON.parse(line);
    assert.ok(isAlive(pid));
    program.kill(signal);
    await waitFor(() => !isAlive(pid), { ...SOON, what: 'its Redis to end' });
    assert.equal(existsSync(dir), false);
  });
}
