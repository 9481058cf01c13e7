import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PARKED } from '@sluice/contract';
import { waitFor } from '@sluice/testbed';
import { type Fixture, SHORT_LEASE, setUp } from './fixture.js';
import { LIMIT } from './handlers/limited.js';

const STREAM = 'tasks:stream:limited';
/** Of 150 suspects: what stepped aside wrongly were all but those handed out. */
const FEW = 20;
/** A time of Redis, in milliseconds. */
const LONG_AGO = 1;
const WINDOW_MS = LIMIT.perSeconds * 1000;
const handlers = { limited: new URL('./handlers/limited.js', import.meta.url).href };

const append = (queue: Fixture, count: number, data: object = {}) =>
  Promise.all(
    Array.from({ length: count }, () => queue.append({ journal: queue.journal, ...data }, {}, 'limited')),
  );

const drained = (queue: Fixture) =>
  waitFor(async () => (await queue.backlog('limited')) === 0, { timeoutMs: 60_000, what: 'all to be done' });

/** The most starts in any window of the limit, wherever one puts it. By the one clock of this machine. */
function mostInAWindow(queue: Fixture): number {
  const starts = queue.lines().flatMap(({ event, at }) => (event === 'start' ? [at] : []));
  starts.sort((a, b) => a - b);
  let most = 0;
  for (const [i, from] of starts.entries()) {
    // The clock shows whole milliseconds: two may be one further apart than they look.
    const within = starts.slice(i).filter((at) => at - from < WINDOW_MS - 1);
    most = Math.max(most, within.length);
  }
  return most;
}

/** Has two processes with two threads each work off more than they may start at once. */
async function crowd(queue: Fixture, env: Record<string, string> = {}): Promise<void> {
  for (let i = 0; i < 2; i++) await queue.consumeInProcess({ handlers }, env);
  await append(queue, 40);
  await append(queue, 10, { fails: true });
  await drained(queue);
}

// Most of the time each waits for its limit, on a Redis of its own.
describe('a rate limit', { concurrency: 2 }, () => {
  test('all consumers together never start more within the time than allowed, retries included', async (t) => {
    const queue = await setUp(t);
    await crowd(queue);
    assert.equal(queue.ids('start').length, 60);
    assert.equal(queue.ids('end').length, 50);
    const most = mostInAWindow(queue);
    assert.ok(most <= LIMIT.tasks, `${most} starts within ${WINDOW_MS} ms`);
    assert.deepEqual(await queue.deadLetters(), []);
  });

  test('negative control: a limit of each thread for itself is caught', async (t) => {
    const queue = await setUp(t);
    await crowd(queue, { CONSUMER_BREAK: 'limit-per-thread' });
    assert.ok(mostInAWindow(queue) > LIMIT.tasks);
  });

  test('a process that is killed takes its starts along and no more', async (t) => {
    const queue = await setUp(t);
    const first = await queue.consumeInProcess({ ...SHORT_LEASE, handlers });
    await append(queue, 40);
    await queue.until('start', 5);
    first.signal('SIGKILL');
    await first.exited;
    await queue.consumeInProcess({ ...SHORT_LEASE, handlers });
    await drained(queue);
    assert.equal(new Set(queue.ids('end')).size, 40);
    const most = mostInAWindow(queue);
    assert.ok(most <= LIMIT.tasks, `${most} starts within ${WINDOW_MS} ms`);
  });

  test('a task that comes when there was nothing to do is not left lying', async (t) => {
    const queue = await setUp(t);
    await queue.consume({ handlers });
    await pause(1500);
    for (let i = 1; i <= 3; i++) {
      await append(queue, 1);
      await queue.until('end', i);
    }
  });

  test('when all may-be-started is started, Redis is asked seldom', async (t) => {
    const queue = await setUp(t);
    // As if it had all been started a moment ago, for a long window.
    const rate = queue.keys.rate(STREAM, 'processors');
    await queue.consume({ handlers });
    await append(queue, 30);
    await queue.until('start', LIMIT.tasks);
    const calls = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await queue.redis.info('commandstats'))?.[1] ?? 0);
    const before = await calls();
    const since = performance.now();
    await queue.until('start', 30);
    const seconds = (performance.now() - since) / 1000;
    // Two threads: a handful of looks each in a window, and what settling takes.
    const asked = (await calls()) - before;
    assert.ok(asked < 10 * 30 + 20 * seconds, `${asked} calls in ${seconds} s`);
    assert.ok((await queue.redis.pttl(rate)) > 0, 'nothing is kept for ever');
  });

  test('after FLUSHALL it goes on', async (t) => {
    const queue = await setUp(t);
    await queue.consume({ handlers });
    await append(queue, 5);
    await drained(queue);
    await queue.redis.flushall();
    const ids = await append(queue, 5);
    await queue.until('end', 10);
    for (const id of ids) assert.ok(queue.ids('end').includes(id));
  });

  test('tasks of other types pay nothing for it', async (t) => {
    const queue = await setUp(t);
    await queue.consume({
      handlers: { ...handlers, default: new URL('./handlers/scripted.js', import.meta.url).href },
    });
    await append(queue, 600); // half a minute
    await queue.appendScripts(200);
    await waitFor(async () => (await queue.backlog()) === 0, { timeoutMs: 60_000, what: 'the others' });
    assert.ok((await queue.backlog('limited')) > 0, 'the limited ones take longer');
  });
});

/** Has tasks wait that ran twice when their process died: parked, due long ago, and to be run one after the other. */
async function suspects(queue: Fixture, count: number): Promise<void> {
  await append(queue, count);
  await queue.redis.xgroup('CREATE', STREAM, 'processors', '0');
  await queue.redis.xreadgroup('GROUP', 'processors', 'dead', 'STREAMS', STREAM, '>');
  const entries = await queue.redis.xrange(STREAM, '-', '+');
  const ids = entries.map(([id]) => id);
  await queue.redis.xclaim(STREAM, 'processors', PARKED, 0, ...ids, 'RETRYCOUNT', 2, 'JUSTID');
  await queue.redis.zadd(queue.keys.retries(STREAM, 'processors'), ...ids.flatMap((id) => [LONG_AGO, id]));
}

test('suspects do not step aside for others when they are few', async (t) => {
  const queue = await setUp(t);
  await suspects(queue, 150);
  await queue.consume({ handlers });
  await queue.until('end', 5);
  const retries = queue.keys.retries(STREAM, 'processors');
  // One that was taken out and not started, for its second was over, is put back with a time of its own.
  const setAside = await queue.redis.zcount(retries, `(${LONG_AGO}`, '+inf');
  assert.ok(setAside < FEW, `${setAside} set aside`);
});
