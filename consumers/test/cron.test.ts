import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CronSchedule } from '@sluice/consumers';
import { waitFor } from '@sluice/testbed';
import { type Fixture, setUp, soon } from './fixture.js';

const EVERY_SECOND = '* * * * * *';

function schedule(queue: Fixture, more: Partial<CronSchedule> = {}): CronSchedule {
  return { name: 'tick', cron: EVERY_SECOND, data: { journal: queue.journal }, ...more };
}

/** A second group, which reads nothing: whatever enters the stream stays there to be seen. */
async function keepEntries(queue: Fixture): Promise<void> {
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'onlookers', '0', 'MKSTREAM');
}

/** The times of the runs that were enqueued, in seconds, in the order they were, and when that was. */
async function runsIn(queue: Fixture): Promise<{ run: number; enqueuedAt: number; taskId: string }[]> {
  const entries = await queue.redis.xrange('tasks:stream', '-', '+');
  return entries.map(([entryId, fields]) => {
    const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
    const run = Date.parse(field('timestamp')) / 1000;
    return { run, enqueuedAt: Number(entryId.split('-')[0]) / 1000, taskId: field('task_id') };
  });
}

async function enqueued(queue: Fixture, count: number, timeoutMs = 60_000): Promise<void> {
  const what = `${count} runs to be enqueued`;
  await waitFor(async () => (await queue.redis.xlen('tasks:stream')) >= count, { timeoutMs, what });
}

/** Moves back when a schedule last ran, as if nobody had been there since. */
async function lastRan(queue: Fixture, name: string, secondsAgo: number): Promise<void> {
  const [seconds] = await queue.redis.time();
  const last = (Number(seconds) - secondsAgo) * 1000;
  await queue.redis.hset(queue.keys.cronRuns, name, `${last}:0:${last}`);
}

const consecutive = (runs: readonly number[]) =>
  runs.every((run, i) => i === 0 || run === (runs[i - 1] ?? 0) + 1);

// They wait for seconds to pass, each on a Redis of its own.
describe('schedules', { concurrency: 3 }, () => {
  test('three consumers with one schedule enqueue each run once, and none is left out', async (t) => {
    const queue = await setUp(t);
    await keepEntries(queue);
    const options = { threads: 1, schedules: [schedule(queue)] };
    const [first] = await Promise.all([1, 2, 3].map(() => queue.consumeInProcess(options)));
    await enqueued(queue, 4);
    first?.signal('SIGKILL');
    await enqueued(queue, 8);
    const runs = await runsIn(queue);
    assert.ok(consecutive(runs.map(({ run }) => run)), JSON.stringify(runs));
    assert.ok(runs.every(({ run, enqueuedAt }) => enqueuedAt >= run));
    assert.equal(new Set(runs.map(({ taskId }) => taskId)).size, runs.length);
    await queue.until('end', 8);
  });

  test('negative control: without looking at the last run, each run is enqueued by everybody', async (t) => {
    const queue = await setUp(t);
    await keepEntries(queue);
    const options = { threads: 1, schedules: [schedule(queue)] };
    const broken = { CONSUMER_BREAK: 'cron-without-last-run' };
    await Promise.all([1, 2, 3].map(() => queue.consumeInProcess(options, broken)));
    await enqueued(queue, 9);
    const ids = await queue.inStream();
    assert.ok(new Set(ids).size < ids.length);
  });

  test('the handler gets data and metadata, the time of the run, and the same id whoever enqueued it', async (t) => {
    const queues = await Promise.all([setUp(t), setUp(t)]);
    const ids = new Map<number, Set<string>>();
    for (const queue of queues) {
      await keepEntries(queue);
      await lastRan(queue, 'minutely', 70);
      const minutely = schedule(queue, { name: 'minutely', cron: '* * * * *', metadata: { by: 'cron' } });
      await queue.consume({ schedules: [minutely] });
      await queue.until('end', 1);
      const [[, fields] = ['', []]] = await queue.redis.xrange('tasks:stream', '-', '+');
      const payload: unknown = JSON.parse(fields[fields.indexOf('payload') + 1] ?? '');
      assert.deepEqual(payload, { data: { journal: queue.journal }, metadata: { by: 'cron' } });
      for (const { run, taskId } of await runsIn(queue)) {
        assert.equal(run % 60, 0);
        assert.match(taskId, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        ids.set(run, (ids.get(run) ?? new Set()).add(taskId));
      }
    }
    assert.ok([...ids.values()].every((each) => each.size === 1));
  });

  test('a new schedule makes up for nothing that was before it', async (t) => {
    const queue = await setUp(t);
    await keepEntries(queue);
    const [seconds] = await queue.redis.time();
    await queue.consume({ schedules: [schedule(queue)] });
    await enqueued(queue, 2);
    const runs = await runsIn(queue);
    assert.ok(runs.every(({ run }) => run >= Number(seconds)));
  });

  test('runs missed for up to a minute are made up for, of older ones the latest within the grace', async (t) => {
    const queue = await setUp(t);
    await keepEntries(queue);
    await lastRan(queue, 'tick', 10);
    await lastRan(queue, 'hourly', 5 * 3600);
    await lastRan(queue, 'old', 5 * 3600);
    const hourly = { cron: `${new Date(Date.now() - 600_000).getUTCMinutes()} * * * *` };
    const { events } = await queue.consume({
      scheduleGraceSeconds: 1200,
      schedules: [
        schedule(queue),
        schedule(queue, { name: 'hourly', ...hourly }),
        schedule(queue, {
          name: 'old',
          cron: `0 ${new Date(Date.now() - 2 * 3_600_000).getUTCHours()} * * *`,
        }),
      ],
    });
    const { redis, keys } = queue;
    let last = 0;
    const latestIsMade = async () => {
      last = Number((await redis.hget(keys.cronRuns, 'hourly'))?.split(':')[0]);
      return Date.now() - last < 1_200_000;
    };
    await waitFor(latestIsMade, { timeoutMs: 60_000, what: 'the hourly run to be made up for' });
    await enqueued(queue, 12);
    const runs = (await runsIn(queue)).map(({ run }) => run);
    assert.ok(runs.includes(last / 1000));
    await soon(
      'what was missed to be reported',
      () => events.filter(({ type }) => type === 'runs-missed').length === 2,
    );
    const missed = events.flatMap((event) => (event.type === 'runs-missed' ? [event.schedule] : []));
    assert.deepEqual(missed.sort(), ['hourly', 'old']);
  });

  test('Redis killed, frozen, emptied, read-only and without memory: each run is enqueued once at most, and runs go on', async (t) => {
    const queue = await setUp(t, { persistent: true });
    const { redis } = queue;
    await keepEntries(queue);
    const { events } = await queue.consume({ schedules: [schedule(queue)] });
    await queue.consume({ schedules: [schedule(queue)] });
    await enqueued(queue, 2);
    await queue.server.kill();
    await queue.server.restart();
    await enqueued(queue, 4);
    await redis.replicaof('127.0.0.1', 1);
    await new Promise((resolve) => setTimeout(resolve, 1500)); // the fault itself
    await redis.replicaof('NO', 'ONE');
    await enqueued(queue, 7);
    await redis.config('SET', 'maxmemory', '1');
    await new Promise((resolve) => setTimeout(resolve, 1500)); // the fault itself
    const before = await redis.xlen('tasks:stream');
    await redis.config('SET', 'maxmemory', '0');
    await enqueued(queue, before + 2);
    const runs = (await runsIn(queue)).map(({ run }) => run);
    assert.ok(consecutive(runs), JSON.stringify(runs));
    await redis.flushall();
    await keepEntries(queue);
    await enqueued(queue, 2);
    assert.ok(consecutive((await runsIn(queue)).map(({ run }) => run)));
    assert.deepEqual(
      events.filter((event) => event.type === 'internal-error' && event.where.startsWith('cron')),
      [],
    );
  });

  test('schedules that no consumer has are forgotten, and those that were just away are not', async (t) => {
    const queue = await setUp(t);
    await lastRan(queue, 'gone', 31 * 86_400);
    await lastRan(queue, 'away', 29 * 86_400);
    await lastRan(queue, 'back', 31 * 86_400);
    await queue.redis.hset(queue.keys.cronRuns, 'garbage', 'x');
    await queue.consume({
      schedules: [schedule(queue), schedule(queue, { name: 'back', cron: '0 0 1 1 *' })],
    });
    await waitFor(async () => (await queue.redis.hexists(queue.keys.cronRuns, 'gone')) === 0, {
      timeoutMs: 60_000,
      what: 'the schedule to be forgotten',
    });
    assert.deepEqual((await queue.redis.hkeys(queue.keys.cronRuns)).sort(), ['away', 'back', 'tick']);
    const [last = ''] = ((await queue.redis.hget(queue.keys.cronRuns, 'back')) ?? '').split(':');
    assert.ok(Number(last) < Date.now() - 30 * 86_400_000, 'its last run still counts');
  });

  test('a stream with no room: the run waits, which is reported, and is enqueued when there is some', async (t) => {
    const queue = await setUp(t);
    await keepEntries(queue);
    const fill = "for i = 1, 100000 do redis.call('XADD', KEYS[1], '*', 'a', 'b') end";
    await queue.redis.eval(fill, 1, 'tasks:stream:unread');
    const unread = schedule(queue, { name: 'unread', type: 'unread' });
    const { events } = await queue.consume({ schedules: [unread] });
    await soon('the full stream to be reported', () =>
      events.some((event) => event.type === 'runs-missed' && event.reason === 'backlog-full'),
    );
    assert.equal(await queue.redis.xlen('tasks:stream:unread'), 100_000);
    await queue.redis.xtrim('tasks:stream:unread', 'MAXLEN', 10);
    await waitFor(async () => (await queue.redis.xlen('tasks:stream:unread')) > 11, {
      timeoutMs: 60_000,
      what: 'runs to be enqueued',
    });
  });

  test('a schedule that is wrong is refused before anything starts', async (t) => {
    const queue = await setUp(t);
    await assert.rejects(queue.consume({ schedules: [schedule(queue, { cron: 'now and then' })] }), {
      code: 'INVALID_OPTIONS',
      message: /^schedules\.0\.cron is "now and then"/,
    });
  });
});

test('consumers whose clocks are an hour apart agree on the time of Redis', async (t) => {
  const queue = await setUp(t);
  await keepEntries(queue);
  await queue.consumeInProcess({ threads: 1, schedules: [schedule(queue)] });
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
  await queue.consume({ schedules: [schedule(queue)] });
  await enqueued(queue, 4);
  const runs = await runsIn(queue);
  assert.ok(consecutive(runs.map(({ run }) => run)), JSON.stringify(runs));
  assert.ok(runs.every(({ run, enqueuedAt }) => enqueuedAt >= run && enqueuedAt < run + 60));
});
