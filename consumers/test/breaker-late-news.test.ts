import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTcpProxy, waitFor } from '@sluice/testbed';
import { type Fixture, setUp } from './fixture.js';

const STREAM = 'tasks:stream';

async function redisMs(queue: Fixture): Promise<number> {
  const [seconds, microseconds] = await queue.redis.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

/**
 * Has a run begin and fail, its outcome held up on the way to Redis, and the breaker close meanwhile, after the run began.
 * Returns how many attempts were excused.
 *
 * @param round of the breaker that others have opened and closed
 */
async function excusedOfLateNews(queue: Fixture, round: number): Promise<number> {
  const proxy = await startTcpProxy(queue.server.port);
  try {
    const { consumer } = await queue.consume({
      redisUrl: `redis://127.0.0.1:${proxy.port}`,
      threads: 1,
      leaseSeconds: 60,
      breaker: true,
      breakerMinimumFailures: 5,
      breakerWindowSeconds: 1,
    });
    queue.setDownstream('hanging');
    const before = await redisMs(queue);
    await queue.appendScript({ do: 'call-downstream' });
    await queue.until('start', 1);
    const [entry] = await queue.redis.xrange(STREAM, '-', '+');
    proxy.holdCommands(true);
    const closedAt = Math.ceil(await redisMs(queue));
    queue.setDownstream('down');
    await waitFor(() => proxy.held.includes(entry?.[0] ?? '?'), {
      timeoutMs: 20_000,
      what: 'its outcome to be on its way',
    });
    const breaker = { state: 'closed', round, closed_at: closedAt };
    await queue.redis.hset(queue.keys.breaker(STREAM, 'processors'), breaker);
    queue.setDownstream('up');
    // Going by how long it ran and when this arrives, it seems to have begun after the breaker was closed.
    const ranAtMost = (await redisMs(queue)) - before;
    await waitFor(async () => (await redisMs(queue)) > closedAt + ranAtMost + 10, {
      timeoutMs: 20_000,
      what: 'enough time to pass',
    });
    proxy.holdCommands(false);
    await queue.drained();
    await consumer.stop();
    const { done, retried, excused = 0 } = await queue.ledger();
    assert.deepEqual({ done, retried }, { done: 1, retried: 1 });
    return excused;
  } finally {
    await proxy.close();
  }
}

test('a run that began before the breaker closed is excused, however late its outcome arrives', async (t) => {
  assert.equal(await excusedOfLateNews(await setUp(t), 1), 1);
});

test('negative control: without the round, going by the time it ran, it is not', async (t) => {
  assert.equal(await excusedOfLateNews(await setUp(t), 0), 0);
});
