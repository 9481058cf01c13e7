import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@sluice/client';
import {
  freePort,
  type RedisServer,
  type RunningProcess,
  startProcess,
  startRedis,
  startTcpProxy,
  type TcpProxy,
  waitFor,
} from '@sluice/testbed';
import { Redis } from 'ioredis';

const ENGINE = new URL('../../../engine/dist/main.js', import.meta.url).pathname;
const TASKS = 300;
const PER_SECOND = 200;
const ROUNDS = 5;

describe('a client of a real engine', () => {
  let redis: RedisServer;
  let redisClient: Redis;
  let proxy: TcpProxy;
  let engine: RunningProcess;
  let url: string;

  before(async () => {
    redis = await startRedis();
    redisClient = new Redis(redis.url);
    proxy = await startTcpProxy(redis.port);
    engine = startProcess(ENGINE, {
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      SERVICE_HOST: '127.0.0.1',
      SERVICE_PORT: String(await freePort()),
      METRICS_PORT: String(await freePort()),
      WORKER_PROCESSES: '2',
      APPEND_TIMEOUT: '0.3',
      SHUTDOWN_DELAY: '0',
    });
    ({ url } = (await engine.ready) as { url: string }); // what the engine sends
    await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: 20_000, what: 'the engine' });
  });

  after(async () => {
    engine.signal('SIGKILL');
    await engine.exited;
    await proxy.close();
    redisClient.disconnect();
    await redis.stop();
  });

  /** Sends numbered tasks while replies of Redis get lost. Returns how often each number was stored. */
  async function sendThroughFaults(send: typeof fetch): Promise<Map<number, number>> {
    await redisClient.flushall();
    const client = createClient({ url, fetch: send });
    const faults = (async () => {
      for (let round = 0; round < ROUNDS; round++) {
        proxy.dropReplies(true);
        await pause(100);
        proxy.cut();
        proxy.dropReplies(false);
        await pause(150);
      }
    })();
    const sending: Promise<unknown>[] = [];
    for (let n = 0; n < TASKS; n++) {
      sending.push(client.send({ n }));
      await pause(1000 / PER_SECOND);
    }
    await Promise.all([...sending, faults]);
    const stored = new Map<number, number>();
    for (const [, fields] of await redisClient.xrange('tasks:stream', '-', '+')) {
      const { data } = JSON.parse(fields[fields.indexOf('payload') + 1] ?? '') as { data: { n: number } };
      stored.set(data.n, (stored.get(data.n) ?? 0) + 1);
    }
    return stored;
  }

  it('stores every task once, however often it had to be sent', async () => {
    let requests = 0;
    const stored = await sendThroughFaults((target, init) => {
      requests++;
      return fetch(target, init);
    });
    assert.ok(requests > TASKS, 'no task had to be sent again');
    assert.equal(stored.size, TASKS);
    assert.deepEqual(
      [...stored].filter(([, times]) => times !== 1),
      [],
    );
  });

  it('negative control: with a new key for each attempt, some are stored twice', async () => {
    const stored = await sendThroughFaults((target, init) => {
      const headers = new Headers(init?.headers);
      headers.set('Idempotency-Key', randomUUID());
      return fetch(target, { ...init, headers });
    });
    assert.equal(stored.size, TASKS);
    assert.ok([...stored.values()].some((times) => times > 1));
  });
});
