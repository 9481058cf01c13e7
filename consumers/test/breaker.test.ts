import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumerEvent } from '@sluice/consumers';
import { waitFor } from '@sluice/testbed';
import { type Fixture, SHORT_LEASE, setUp } from './fixture.js';

const STREAM = 'tasks:stream';
const GROUP = 'processors';

/** A breaker that tests need not wait for. */
const QUICK_BREAKER = {
  breaker: true,
  breakerMinimumFailures: 5,
  breakerWindowSeconds: 5,
  breakerOpenSeconds: 0.5,
  breakerOpenMaxSeconds: 1,
  breakerProbes: 2,
};

/** Opened once, it stays so for the rest of a test. */
const LONG_OPEN = { ...QUICK_BREAKER, breakerOpenSeconds: 3600, breakerOpenMaxSeconds: 3600 };

const stateOf = (queue: Fixture, key = queue.keys.breaker(STREAM, GROUP)) => queue.redis.hget(key, 'state');

async function untilState(queue: Fixture, state: string, timeoutMs = 60_000): Promise<void> {
  await waitFor(async () => (await stateOf(queue)) === state, {
    timeoutMs,
    what: `the breaker to be ${state}`,
  });
}

/** Failed attempts that are counted against tasks which are not through. */
async function burned(queue: Fixture): Promise<number> {
  const histories = await queue.redis.hvals(queue.keys.attempts(STREAM, GROUP));
  return histories.reduce((sum, text) => sum + Number(text.split(':')[0]), 0);
}

/** Runs that ended well, as the breaker was told. */
async function succeeded(queue: Fixture): Promise<number> {
  const window = (await queue.redis.hget(queue.keys.breaker(STREAM, GROUP), 'window')) ?? '';
  return window.split(' ').reduce((sum, bucket) => sum + Number(bucket.split(':')[1] ?? 0), 0);
}

const typesOf = (events: readonly ConsumerEvent[]) =>
  events.map(({ type }) => type).filter((type) => type.startsWith('breaker-'));

/** Waits until nothing was started for so long, and says how much had been before. */
async function untilQuiet(queue: Fixture, ms: number): Promise<number> {
  for (let last = -1; ; ) {
    const now = queue.ids('start').length;
    if (now === last) return now;
    last = now;
    await pause(ms);
  }
}

/** Has tasks that may fail only once go through an outage; returns how many died. */
async function deadOfOutage(queue: Fixture, env: Record<string, string> = {}): Promise<number> {
  queue.setDownstream('down');
  // Of different length, so that the first failures are alone.
  for (let i = 0; i < 40; i++) await queue.appendScript({ do: 'call-downstream', ms: 50 + 20 * i });
  // Those that fail first wait for the others, however long the machine stands still in between.
  await queue.consumeInProcess({ ...QUICK_BREAKER, breakerWindowSeconds: 600, maxAttempts: 1 }, env);
  // Not its state: where nothing is excused, all are dead by the time it tries again, and nothing opens it a second time.
  await waitFor(async () => Number(await queue.redis.hget(queue.keys.breaker(STREAM, GROUP), 'round')) >= 1, {
    timeoutMs: 60_000,
    what: 'the breaker to open',
  });
  await untilQuiet(queue, 300);
  queue.setDownstream('up');
  await queue.drained();
  return (await queue.deadLetters()).length;
}

/** Has a process meet an outage; returns how many runs another begins while the breaker is open. */
async function runsElsewhere(queue: Fixture, env: Record<string, string> = {}): Promise<number> {
  await queue.consumeInProcess({ ...LONG_OPEN, threads: 1 }, env);
  queue.setDownstream('down');
  await queue.appendScripts(60, { do: 'call-downstream', ms: 20 });
  await waitFor(() => someOpen(queue), { timeoutMs: 60_000, what: 'a breaker to open' });
  await untilQuiet(queue, 300);
  queue.setDownstream('up');
  await queue.appendScripts(100, { do: 'call-downstream', ms: 20 });
  const other = await queue.consumeInProcess({ ...LONG_OPEN, threads: 1 }, env);
  await pause(1500);
  return queue.lines().filter(({ event, pid }) => event === 'start' && pid === other.pid).length;
}

async function someOpen(queue: Fixture): Promise<boolean> {
  const keys = await queue.redis.keys(`${STREAM}:breaker:*`);
  const states = await Promise.all(keys.map((key) => stateOf(queue, key)));
  return states.includes('open');
}

// Most of the time each waits, for breakers and for quiet, on a Redis of its own.
describe('a breaker', { concurrency: 3 }, () => {
  test('an outage costs no attempt and no task, and ends with everything done', async (t) => {
    const queue = await setUp(t);
    queue.setDownstream('down');
    // By far more than can be started until all know.
    const ids = await queue.appendScripts(1500, { do: 'call-downstream', ms: 5 });
    await queue.consume({ ...QUICK_BREAKER, maxConcurrentTasks: 10 });
    await queue.consumeInProcess({ ...QUICK_BREAKER, maxConcurrentTasks: 10 });
    await untilState(queue, 'open');
    // Probes fail meanwhile, more than once.
    await waitFor(
      async () => Number(await queue.redis.hget(queue.keys.breaker(STREAM, GROUP), 'round')) >= 4,
      {
        timeoutMs: 60_000,
        what: 'probes to fail',
      },
    );
    assert.equal(await burned(queue), 0);
    assert.ok(queue.ids('start').length < 500, `${queue.ids('start').length} runs while it was down`);
    queue.setDownstream('up');
    await queue.drained();
    // A machine that stands still for longer than a lease has some run again: at least once is the promise.
    assert.deepEqual([...new Set(queue.ids('end'))].sort(), ids.sort());
    assert.deepEqual(await queue.deadLetters(), []);
    const { done, dead, excused = 0, retried } = await queue.ledger();
    assert.deepEqual({ done, dead }, { done: 1500, dead: undefined });
    assert.equal(excused, retried);
    assert.equal(await stateOf(queue), 'closed');
  });

  test('tasks on their last attempt survive an outage, those that fail before anybody can tell included', async (t) => {
    assert.equal(await deadOfOutage(await setUp(t)), 0);
  });

  test('negative control: a breaker that excuses nothing is caught', async (t) => {
    assert.ok((await deadOfOutage(await setUp(t), { CONSUMER_BREAK: 'no-excuse' })) > 0);
  });

  test('while it is open no process of the group reads or starts any', async (t) => {
    const queue = await setUp(t);
    assert.equal(await runsElsewhere(queue), 0);
    const consumers = await queue.consumers();
    for (const [name, pending] of Object.entries(consumers)) {
      if (name !== '~parked') assert.equal(pending, 0, `${name} holds ${pending}`);
    }
  });

  test('what is parked is not taken before its time is over, and not lost at shutdown', async (t) => {
    const queue = await setUp(t);
    queue.setDownstream('down');
    await queue.appendScripts(50, { do: 'call-downstream', ms: 5 });
    const { consumer } = await queue.consume({ ...LONG_OPEN, maxConcurrentTasks: 10 });
    await untilState(queue, 'open');
    const started = await untilQuiet(queue, 1500);
    await consumer.stop();
    assert.equal(await queue.backlog(), 50);
    assert.equal(queue.ids('start').length, started);
    assert.equal(await burned(queue), 0);
  });

  test('other task types go on', async (t) => {
    const queue = await setUp(t);
    const { events } = await queue.consume(LONG_OPEN);
    queue.setDownstream('down');
    await queue.appendScripts(50, { do: 'call-downstream' });
    await untilState(queue, 'open');
    const others = await Promise.all(
      Array.from({ length: 300 }, () => queue.append({ journal: queue.journal, width: 1 }, {}, 'measured')),
    );
    await waitFor(async () => (await queue.backlog('measured')) === 0, {
      timeoutMs: 60_000,
      what: 'the others',
    });
    assert.deepEqual([...new Set(queue.ids('end'))].sort(), others.sort());
    assert.equal(await stateOf(queue), 'open');
    assert.deepEqual(typesOf(events), ['breaker-opened']);
  });

  test('it opens, tries and closes, and says so once each', async (t) => {
    const queue = await setUp(t);
    const all: ConsumerEvent[][] = [];
    queue.setDownstream('down');
    for (let i = 0; i < 2; i++) all.push((await queue.consume(QUICK_BREAKER)).events);
    await queue.appendScripts(20, { do: 'call-downstream' });
    await untilState(queue, 'open');
    queue.setDownstream('up');
    await queue.drained();
    await untilState(queue, 'closed');
    await waitFor(() => typesOf(all.flat()).includes('breaker-closed'), {
      timeoutMs: 60_000,
      what: 'the event',
    });
    const count = (type: string) => typesOf(all.flat()).filter((one) => one === type).length;
    assert.equal(count('breaker-closed'), 1);
    assert.equal(count('breaker-opened'), count('breaker-half-open'));
  });

  test('a few tasks that never work do not pause the many that do', async (t) => {
    const queue = await setUp(t);
    // Longer than a machine stands still: what went well is to be in the window with what does not.
    await queue.consume({ ...QUICK_BREAKER, breakerWindowSeconds: 600, maxAttempts: 2 });
    await queue.appendScripts(100);
    await waitFor(async () => (await succeeded(queue)) >= 100, { timeoutMs: 60_000, what: 'all to be told' });
    await queue.appendScripts(8, { do: 'throw' });
    await queue.appendScripts(100);
    await queue.drained();
    assert.equal((await queue.deadLetters()).length, 8);
    assert.equal(await stateOf(queue), 'closed');
  });

  test('one task that never works dies at once, though all there is fails', async (t) => {
    const queue = await setUp(t);
    await queue.consume({ ...QUICK_BREAKER, breakerWindowSeconds: 3600 });
    await queue.appendScript({ do: 'throw' });
    await queue.drained();
    assert.equal((await queue.deadLetters()).length, 1);
  });

  test('too few failures to tell: their tasks die when the window is over', async (t) => {
    const queue = await setUp(t);
    await queue.consume({ ...QUICK_BREAKER, breakerWindowSeconds: 1, maxAttempts: 1 });
    await queue.appendScripts(3, { do: 'throw' });
    await queue.drained();
    assert.equal((await queue.deadLetters()).length, 3);
    assert.equal(queue.ids('start').length, 3, 'they ran once');
  });

  test('a verdict that has to wait does not hold up the shutdown', async (t) => {
    const queue = await setUp(t);
    const { consumer } = await queue.consume({
      ...QUICK_BREAKER,
      breakerWindowSeconds: 3600,
      maxAttempts: 1,
    });
    await queue.appendScripts(3, { do: 'throw' });
    await queue.until('start', 3);
    await waitFor(async () => (await queue.redis.zcard(queue.keys.failures(STREAM, GROUP))) === 3, {
      timeoutMs: 60_000,
      what: 'the failures to be noted',
    });
    await consumer.stop();
    assert.equal(await queue.backlog(), 0);
  });

  test('Unrecoverable, RetryAfter and poison open nothing', async (t) => {
    const queue = await setUp(t);
    await queue.consume({ ...QUICK_BREAKER, maxAttempts: 2 });
    await queue.appendScripts(10, { do: 'throw-unrecoverable' });
    await queue.appendScripts(10, { do: 'throw-retry-after', ms: 10, until: 1 });
    await queue.appendTogether(Array.from({ length: 10 }, () => 'unknown' as const));
    await queue.drained();
    assert.equal((await queue.deadLetters()).length, 20);
    assert.notEqual(await stateOf(queue), 'open');
  });

  test('timeouts open it', async (t) => {
    const queue = await setUp(t);
    await queue.consume({ ...LONG_OPEN, taskTimeoutSeconds: 0.2 });
    await queue.appendScripts(20, { do: 'wait-for-abort' });
    await untilState(queue, 'open');
    await untilQuiet(queue, 1200);
    assert.equal(await burned(queue), 0);
    assert.deepEqual(await queue.deadLetters(), []);
  });

  test('a process that is killed with the probes does not keep it half-open for ever', async (t) => {
    const queue = await setUp(t);
    queue.setDownstream('down');
    const holder = await queue.consumeInProcess({ ...QUICK_BREAKER, ...SHORT_LEASE });
    await queue.appendScripts(20, { do: 'call-downstream' });
    await untilState(queue, 'open');
    queue.setDownstream('hanging');
    await waitFor(
      async () => {
        const [state, probes] = await queue.redis.hmget(queue.keys.breaker(STREAM, GROUP), 'state', 'probes');
        return state === 'half-open' && probes?.split(' ').length === QUICK_BREAKER.breakerProbes;
      },
      { timeoutMs: 60_000, what: 'all probes to be out' },
    );
    const probes = (await queue.redis.hget(queue.keys.breaker(STREAM, GROUP), 'probes')) ?? '';
    holder.signal('SIGKILL');
    await holder.exited;
    queue.setDownstream('up');
    await queue.consume({ ...QUICK_BREAKER, ...SHORT_LEASE });
    await queue.drained();
    assert.ok(probes.length > 0);
    assert.equal(await stateOf(queue), 'closed');
    assert.deepEqual(await queue.deadLetters(), []);
    assert.equal(new Set(queue.ids('end')).size, 20);
  });

  test('when Redis forgets everything it is closed', async (t) => {
    const queue = await setUp(t);
    const { events } = await queue.consume(LONG_OPEN);
    queue.setDownstream('down');
    await queue.appendScripts(20, { do: 'call-downstream' });
    await untilState(queue, 'open');
    await untilQuiet(queue, 1200);
    queue.setDownstream('up');
    await queue.redis.flushall();
    const id = await queue.appendScript({ do: 'call-downstream' });
    await queue.until('end', 1);
    assert.deepEqual(queue.ids('end'), [id]);
    assert.deepEqual(typesOf(events), ['breaker-opened']);
  });

  test('when Redis is restarted with what it had, it is as open as before, and drains in the end', async (t) => {
    const queue = await setUp(t, { persistent: true });
    await queue.consume({ ...QUICK_BREAKER, breakerOpenSeconds: 3, breakerOpenMaxSeconds: 3 });
    queue.setDownstream('down');
    await queue.appendScripts(30, { do: 'call-downstream' });
    await untilState(queue, 'open');
    await queue.server.kill();
    await queue.server.restart();
    await waitFor(async () => (await stateOf(queue)) !== null, {
      timeoutMs: 60_000,
      what: 'Redis to be back',
    });
    queue.setDownstream('up');
    await queue.drained();
    assert.equal(new Set(queue.ids('end')).size, 30);
    assert.deepEqual(await queue.deadLetters(), []);
  });

  test('negative control: a breaker of each thread for itself is caught', async (t) => {
    assert.ok((await runsElsewhere(await setUp(t), { CONSUMER_BREAK: 'breaker-per-thread' })) > 0);
  });
});
