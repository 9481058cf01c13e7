import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { freePort } from '@sluice/testbed';
import { type Sluice, script, sluice } from './sluice.js';

/** Starts it, which must fail with exactly these lines and leave nothing running. */
async function refused(one: Sluice, environment: Record<string, string>, ...lines: RegExp[]): Promise<void> {
  const { code, stderr } = await one.run('up', environment);
  assert.equal(code, 1);
  const said = stderr.split('\n').filter((line) => line !== '');
  assert.equal(said.length, lines.length, stderr);
  for (const [i, line] of lines.entries()) assert.match(said[i] ?? '', line);
  assert.deepEqual(one.processes(), []);
  const left = readdirSync(one.data).filter((name) => /sock|lock|json/.test(name));
  assert.deepEqual(left, []);
}

async function occupy(t: TestContext, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  t.after(() => server.close());
}

// Each starts programs in a folder of its own, and waits for them for most of its time.
describe('what is refused', { concurrency: 3 }, () => {
  test('a port in use is one line', async (t) => {
    const one = await sluice(t);
    await occupy(t, one.port);
    await refused(one, {}, new RegExp(`^SERVICE_PORT is ${one.port}: .*another program listens there$`));
  });

  test('an operations port in use is one line', async (t) => {
    const one = await sluice(t);
    await occupy(t, one.opsPort);
    await refused(one, {}, new RegExp(`^METRICS_PORT is ${one.opsPort}: .*another program listens there$`));
  });

  test('a wrong variable is one line', async (t) => {
    const allowed = 'allowed: a whole number from 1 to \\d+$';
    await refused(
      await sluice(t),
      { MAX_PAYLOAD_SIZE: 'abc' },
      new RegExp(`^MAX_PAYLOAD_SIZE is "abc"; ${allowed}`),
    );
  });

  test('wrong variables of the engine, the consumers and both are a line each, all at once', async (t) => {
    await refused(
      await sluice(t),
      { MAX_PAYLOAD_SIZE: 'abc', MAX_ATTEMPTS: '0', REDIS_STREAM_NAME: ' ' },
      /^REDIS_STREAM_NAME is ""; allowed: text, not empty$/,
      /^MAX_PAYLOAD_SIZE is "abc"; allowed: /,
      /^MAX_ATTEMPTS is 0; allowed: /,
    );
  });

  test('handlers that cannot be loaded are one line', async (t) => {
    await refused(
      await sluice(t),
      { HANDLER_MODULE: '/nowhere.js' },
      /^HANDLER_MODULE \/nowhere\.js does not load/,
    );
  });

  test('no Redis to be had is one line that says what was tried and what to do', async (t) => {
    const one = await sluice(t);
    await refused(
      one,
      { PATH: join(one.data, 'empty'), REDIS_SERVER_BIN: '' },
      /^no Redis to be had: no redis-server.* on the PATH; none of apt-get.*; no Docker\. Set REDIS_URL .* or REDIS_SERVER_BIN/,
    );
  });

  test('a Redis program that does not start is one line', async (t) => {
    const one = await sluice(t);
    const broken = await script(
      join(one.data, 'broken-redis'),
      '[ "$1" = --version ] && echo "Redis server v=7.0.0" && exit; echo "no such option"; exit 1',
    );
    await refused(one, { REDIS_SERVER_BIN: broken }, /^.*broken-redis does not start; see .*redis\.log$/);
  });

  test('a REDIS_URL at which nobody answers is one line, without its password', async (t) => {
    await refused(
      await sluice(t),
      { REDIS_URL: `redis://:ge@heim@127.0.0.1:${await freePort()}` },
      /^REDIS_URL is redis:\/\/\*\*\*@127\.0\.0\.1:\d+: [^\n]*ECONNREFUSED/,
    );
  });

  test('a REDIS_URL that is none is one line', async (t) => {
    await refused(
      await sluice(t),
      { REDIS_URL: 'localhost' },
      /^REDIS_URL is "localhost"; allowed: redis:\/\//,
    );
  });

  test('an unknown command is one line that names those there are', async (t) => {
    const { code, stderr } = await (await sluice(t)).run('upp');
    assert.equal(code, 1);
    assert.match(stderr, /^upp: not a command of the launcher; allowed: up .*\n$/);
  });
});
