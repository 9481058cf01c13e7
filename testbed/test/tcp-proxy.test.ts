import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { freePort, startRedis, startTcpProxy, type TcpProxy, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';

const SOON = { timeoutMs: 20_000 };

/** A Redis, a client that sees it directly, and one that sees it through a proxy. */
async function setUp(t: TestContext): Promise<{ direct: Redis; proxied: Redis; proxy: TcpProxy }> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const proxy = await startTcpProxy(redis.port);
  t.after(() => proxy.close());
  const options = {
    commandTimeout: 500,
    retryStrategy: () => 20,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
  const direct = new Redis(redis.url, options);
  const proxied = new Redis(proxy.port, '127.0.0.1', options);
  for (const client of [direct, proxied]) {
    client.on('error', () => {}); // it is cut off on purpose
    t.after(() => client.disconnect());
  }
  return { direct, proxied, proxy };
}

test('passes everything on, both ways', async (t) => {
  const { direct, proxied } = await setUp(t);
  const large = 'x'.repeat(5_000_000);
  await proxied.set('k', large);
  assert.equal(await direct.get('k'), large);
  assert.equal(await proxied.get('k'), large);
});

test('while it drops replies commands arrive and their replies do not, not even later', async (t) => {
  const { direct, proxied, proxy } = await setUp(t);
  await proxied.ping();
  proxy.dropReplies(true);
  await assert.rejects(proxied.incr('n'), /timed out/i);
  assert.equal(await direct.get('n'), '1');
  proxy.dropReplies(false);
  // A fresh connection: the old one is one reply behind for good.
  proxy.cut();
  await waitFor(async () => (await proxied.get('n')) === '1', { ...SOON, what: 'an answer' });
});

test('a cut breaks every connection and takes new ones', async (t) => {
  const { proxied, proxy } = await setUp(t);
  await proxied.ping();
  const closed = once(proxied, 'close');
  proxy.cut();
  await closed;
  await waitFor(async () => (await proxied.ping()) === 'PONG', { ...SOON, what: 'a new connection' });
});

test('pointed at another port, it takes new connections there and leaves the open ones', async (t) => {
  const { proxied, proxy, direct } = await setUp(t);
  await direct.set('where', 'first');
  const other = await startRedis();
  t.after(() => other.stop());
  proxy.pointAt(other.port);
  assert.equal(await proxied.get('where'), 'first');
  proxy.cut();
  await waitFor(async () => (await proxied.get('where')) === null, { ...SOON, what: 'the other server' });
});

test('in front of nothing it closes what connects', async (t) => {
  const proxy = await startTcpProxy(await freePort());
  t.after(() => proxy.close());
  await once(connect(proxy.port, '127.0.0.1').resume(), 'close');
});

test('closed, it takes nothing any more', async (t) => {
  const { proxied, proxy } = await setUp(t);
  await proxied.ping();
  await proxy.close();
  const [error] = await once(connect(proxy.port, '127.0.0.1'), 'error');
  assert.equal(error.code, 'ECONNREFUSED');
});
