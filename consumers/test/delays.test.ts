import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { type Fixture, SHORT_LEASE, setUp, soon } from './fixture.js';

const BREAK = (what: string) => ({ [Symbol.for('sluice.break')]: what });
const sorted = (ids: readonly string[]) => [...ids].sort();

/** A second group, which reads nothing: whatever enters the stream stays there to be seen. */
async function keepEntries(queue: Fixture): Promise<void> {
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'onlookers', '0', 'MKSTREAM');
}

async function promoted(queue: Fixture, count: number, timeoutMs = 20_000): Promise<void> {
  await waitFor(async () => (await queue.inStream()).length >= count, {
    timeoutMs,
    what: `${count} tasks to be promoted`,
  });
}

test('a task delayed by 0.3 s enters the stream not before, and is then done like any other', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await keepEntries(queue);
  const before = await redisMs(queue);
  const [id = ''] = await queue.scheduleScripts([300]);
  await queue.until('end', 1);
  assert.deepEqual(queue.ids('end'), [id]);
  const [[entryId = ''] = []] = await queue.redis.xrange('tasks:stream', '-', '+');
  assert.ok(Number(entryId.split('-')[0]) >= before + 300);
  const schedule = queue.keys.schedule('tasks:stream');
  assert.deepEqual(await queue.redis.hgetall(schedule.ledger), { scheduled: '1', promoted: '1' });
  assert.equal(await queue.redis.exists(schedule.due, schedule.tasks), 0);
});

test('a thousand tasks enter the stream once each, in the order they are due, whatever order they came in', async (t) => {
  const queue = await setUp(t);
  await keepEntries(queue);
  const delays = Array.from({ length: 1000 }, (_, i) => ((i * 617) % 1000) + 1);
  const ids = await queue.scheduleScripts(delays);
  const { due } = queue.keys.schedule('tasks:stream');
  const inDueOrder = await queue.redis.zrangebyscore(due, '-inf', 'inf');
  await queue.consume();
  await queue.until('end', 1000);
  assert.deepEqual(await queue.inStream(), inDueOrder);
  assert.deepEqual(sorted(queue.ids('start')), sorted(ids));
});

test('what became due while no consumer ran is promoted by the next one', async (t) => {
  const queue = await setUp(t);
  const first = await queue.consume();
  const ids = await queue.scheduleScripts([100, 200, 60_000]);
  await first.consumer.stop();
  const { due, lease } = queue.keys.schedule('tasks:stream');
  assert.equal(await queue.redis.exists(lease), 0, 'who leaves gives up the lease');
  await waitFor(async () => (await queue.redis.zcount(due, '-inf', await redisMs(queue))) === 2, {
    timeoutMs: 20_000,
    what: 'two tasks to be due',
  });
  await queue.consume();
  await queue.until('end', 2);
  assert.deepEqual(sorted(queue.ids('end')), sorted(ids.slice(0, 2)));
  assert.equal(await queue.redis.zcard(due), 1);
});

async function withThreeProcesses(t: TestContext, broken: string | undefined): Promise<string[]> {
  const queue = await setUp(t);
  await keepEntries(queue);
  const env: Record<string, string> = broken === undefined ? {} : { CONSUMER_BREAK: broken };
  await Promise.all([1, 2, 3].map(() => queue.consumeInProcess({ threads: 1 }, env)));
  const ids = await queue.scheduleScripts(Array.from({ length: 300 }, (_, i) => 200 + i));
  await promoted(queue, 300);
  const { due } = queue.keys.schedule('tasks:stream');
  await waitFor(async () => (await queue.redis.zcard(due)) === 0, { timeoutMs: 20_000, what: 'the rest' });
  const entries = await queue.inStream();
  assert.deepEqual(sorted([...new Set(entries)]), sorted(ids));
  return entries;
}

test('three processes promote each task once', async (t) => {
  assert.equal((await withThreeProcesses(t, undefined)).length, 300);
});

test('negative control: promoting in steps promotes tasks twice', async (t) => {
  assert.ok((await withThreeProcesses(t, 'promote-in-steps')).length > 300);
});

test('a consumer whose clock is wrong promotes nothing early; one that trusts its clock does', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
  const queue = await setUp(t);
  const { consumer } = await queue.consume();
  await queue.scheduleScripts([600_000]);
  const [id] = await queue.scheduleScripts([300]);
  await queue.until('end', 1);
  assert.deepEqual(queue.ids('end'), [id]);
  await consumer.stop();
  await queue.consume(BREAK('promote-by-own-clock'));
  await queue.until('end', 2);
});

test('two groups get a promoted task once each', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.consume({ group: 'auditors' });
  const ids = await queue.scheduleScripts(Array.from({ length: 50 }, (_, i) => i * 5));
  await queue.until('end', 100);
  for (const id of ids) assert.equal(queue.ids('end').filter((one) => one === id).length, 2);
});

test('when the process that looks most often is killed or frozen, others promote what is due', async (t) => {
  const queue = await setUp(t);
  const { lease } = queue.keys.schedule('tasks:stream');
  const leader = await queue.consumeInProcess(SHORT_LEASE);
  await waitFor(async () => (await queue.redis.exists(lease)) === 1, {
    timeoutMs: 20_000,
    what: 'the lease',
  });
  await queue.consumeInProcess(SHORT_LEASE);
  leader.signal('SIGSTOP');
  const ids = await queue.scheduleScripts([10, 20, 30]);
  await queue.until('end', 3);
  assert.deepEqual(sorted(queue.ids('end')), sorted(ids));
  leader.signal('SIGKILL');
  await queue.scheduleScripts([10]);
  await queue.until('end', 4);
});

test('Redis killed and started again: every task of the schedule is promoted once, none before its time', async (t) => {
  const queue = await setUp(t, { persistent: true });
  await keepEntries(queue);
  await queue.consume();
  const ids = await queue.scheduleScripts(Array.from({ length: 400 }, (_, i) => 5 * i));
  const { due } = queue.keys.schedule('tasks:stream');
  const times = await queue.redis.zrangebyscore(due, '-inf', 'inf', 'WITHSCORES');
  for (const enough of [50, 150]) {
    await promoted(queue, enough);
    await queue.server.kill();
    await queue.server.restart();
  }
  await promoted(queue, 400, 20_000);
  assert.deepEqual(sorted(await queue.inStream()), sorted(ids));
  const entries = await queue.redis.xrange('tasks:stream', '-', '+');
  for (const [entryId, fields] of entries) {
    const at = times.indexOf(fields[fields.indexOf('task_id') + 1] ?? '');
    if (at >= 0) assert.ok(Number(entryId.split('-')[0]) >= Number(times[at + 1]));
  }
});

test('FLUSHALL, SCRIPT FLUSH, a read-only Redis and one without memory: promoting goes on', async (t) => {
  const queue = await setUp(t);
  const { redis } = queue;
  const { events } = await queue.consume();
  let done = 0;
  const goesOn = async (meanwhile: () => Promise<unknown>, afterwards?: () => Promise<unknown>) => {
    await queue.scheduleScripts([50]);
    await meanwhile();
    await afterwards?.();
    await queue.until('end', ++done, 5000);
  };
  await queue.scheduleScripts([60_000]);
  await redis.flushall();
  await goesOn(() => redis.script('FLUSH'));
  await goesOn(
    () => redis.replicaof('127.0.0.1', 1),
    () => redis.replicaof('NO', 'ONE'),
  );
  await goesOn(() => redis.config('SET', 'maxmemory', '1'));
  await redis.config('SET', 'maxmemory', '0');
  assert.deepEqual(
    events.filter((event) => event.type === 'internal-error' && event.where.startsWith('promoter')),
    [],
  );
});

test('a task whose message somebody deleted is counted as lost and reported; the others are promoted', async (t) => {
  const queue = await setUp(t);
  const { due, tasks, ledger } = queue.keys.schedule('tasks:stream');
  const [gone = '', garbage = '', fine = ''] = await queue.scheduleScripts([1, 2, 3]);
  await queue.redis.hdel(tasks, gone);
  await queue.redis.hset(tasks, garbage, 'no fields');
  const { events } = await queue.consume();
  await queue.until('end', 1);
  assert.deepEqual(queue.ids('end'), [fine]);
  await soon('the loss to be reported', () => events.some((event) => event.type === 'tasks-lost'));
  const lost = events.flatMap((event) => (event.type === 'tasks-lost' ? event.entryIds : []));
  assert.deepEqual(lost, [gone, garbage]);
  assert.deepEqual(await queue.redis.hgetall(ledger), { scheduled: '3', promoted: '1', lost: '2' });
  assert.equal(await queue.redis.exists(due, tasks), 0);
});

test('a key of another type in one schedule keeps no other stream waiting, and is reported once', async (t) => {
  const queue = await setUp(t);
  await queue.redis.set(queue.keys.schedule('tasks:stream').due, 'mine');
  const { events } = await queue.consume();
  const [id] = await queue.scheduleScripts([10], { width: 1 }, 'measured');
  await queue.until('end', 1);
  assert.deepEqual(queue.ids('end'), [id]);
  const errors = events.filter((event) => event.type === 'internal-error');
  assert.equal(errors.length, 1);
  assert.match(JSON.stringify(errors), /promoter of tasks:stream/);
});

async function redisMs(queue: Fixture): Promise<number> {
  const [seconds, microseconds] = await queue.redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
