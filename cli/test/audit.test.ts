import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audit } from '@sluice/cli';
import { waitFor } from '@sluice/testbed';
import { type Fixture, setUp } from './fixture.js';

const EMPTY = { accepted: 0, done: 0, pending: 0, scheduled: 0, dead: 0, dropped: 0, lost: 0, duplicated: 0 };

const codesOf = ({ findings }: Awaited<ReturnType<typeof audit>>) => findings.map(({ code }) => code);

/** Waits until a consumer holds so many tasks. */
async function held(queue: Fixture, count: number): Promise<void> {
  await waitFor(
    async () => ((await queue.redis.xpending('tasks:stream', 'processors')) as [number])[0] === count,
    { timeoutMs: 20_000, what: `${count} pending` },
  );
}

test('every place a task can be in is counted, on every stream', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ backoffBaseSeconds: 60, backoffMaxSeconds: 60 });
  await queue.appendMany(20, { do: 'return' });
  await queue.appendMany(7, { do: 'return' }, 'mail');
  await queue.appendMany(4, { do: 'give-up' });
  await queue.appendMany(3, { do: 'throw' });
  await queue.appendMany(2, { do: 'never-settle' });
  await queue.append({}, 'unread');
  await queue.counted('done', 20);
  await queue.counted('done', 7, 'tasks:stream:mail');
  await queue.counted('dead', 4);
  await queue.counted('retried', 3);
  await held(queue, 5);

  const report = await audit({ redis: queue.redis });
  assert.deepEqual(report.total, {
    ...EMPTY,
    accepted: 37,
    done: 27,
    pending: 3,
    scheduled: 3,
    dead: 4,
  });
  assert.deepEqual(
    report.streams.map(({ stream, accepted, done }) => [stream, accepted, done]),
    [
      ['tasks:stream', 29, 20],
      ['tasks:stream:mail', 7, 7],
      ['tasks:stream:unread', 1, 0],
    ],
  );
  assert.equal(report.ok, true);
  assert.deepEqual(codesOf(report), ['no-group']);

  const { code, stdout } = await queue.program(['audit']);
  assert.equal(code, 0, stdout);
  assert.match(
    stdout,
    /^accepted 37 = done 27 \+ pending 3 \+ scheduled 3 \+ dead 4 \+ dropped 0; lost 0, duplicated 0$/m,
  );
  const json = JSON.parse((await queue.sluice(['audit', '--json', '--type', 'mail'])).stdout);
  assert.equal(json.total.accepted, 7);
});

test('it adds up at any moment while tasks are appended, run, fail and die', async (t) => {
  const queue = await setUp(t);
  await queue.consume({ threads: 2, maxAttempts: 2 });
  let appending = true;
  const producer = (async () => {
    for (let i = 0; i < 60; i++) {
      await Promise.all([
        queue.appendMany(20, { do: 'return' }),
        queue.appendMany(3, { do: 'throw' }),
        queue.appendMany(1, { do: 'give-up' }),
      ]);
    }
    appending = false;
  })();
  let audits = 0;
  let report = await audit({ redis: queue.redis });
  while (appending || report.total.pending + report.total.scheduled > 0) {
    report = await audit({ redis: queue.redis });
    const { accepted, done, pending, scheduled, dead, lost } = report.total;
    assert.equal(accepted, done + pending + scheduled + dead, JSON.stringify(report));
    assert.equal(lost, 0);
    assert.deepEqual(codesOf(report), []);
    audits += 1;
  }
  await producer;
  assert.deepEqual(report.total, { ...EMPTY, accepted: 1440, done: 1200, dead: 240 });
  assert.ok(audits > 5, `${audits} audits`);
});

test('negative control: a running task that is deleted by hand is named, and the exit code is 1', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  const [id = ''] = await queue.appendMany(1, { do: 'never-settle' });
  await held(queue, 1);
  await queue.redis.xdel('tasks:stream', id);
  const { code, stdout } = await queue.sluice(['audit']);
  assert.equal(code, 1);
  assert.match(
    stdout,
    new RegExp(`ERROR  tasks:stream: 1 task is pending whose entry somebody deleted.*\n +${id}\n`),
  );
  assert.match(stdout, /^accepted 1 ≠ .*; lost 1, duplicated 0$/m);
});

test('negative control: a waiting task that is deleted by hand is missed, and named when it was the last', async (t) => {
  const queue = await setUp(t);
  const ids = await queue.appendMany(5, {});
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0');
  await queue.redis.xdel('tasks:stream', ids[4] ?? '');
  const report = await audit({ redis: queue.redis });
  assert.deepEqual({ ...report.total }, { ...EMPTY, accepted: 5, pending: 4, lost: 1 });
  assert.deepEqual(report.findings, [
    {
      severity: 'error',
      code: 'missing',
      key: 'tasks:stream',
      message: `1 task is appended and neither settled nor there; ${ids[4]} was deleted before anybody had read it`,
      count: 1,
      ids: [ids[4]],
    },
  ]);
  // The group goes on, past the hole: it is still missed.
  await queue.consume();
  await queue.counted('done', 4);
  assert.deepEqual((await audit({ redis: queue.redis })).total, { ...EMPTY, accepted: 5, done: 4, lost: 1 });
});

test('negative control: a changed ledger does not add up, in either direction', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.appendMany(10, {});
  await queue.counted('done', 10);
  const key = queue.keys.ledger('tasks:stream', 'processors');
  await queue.redis.hincrby(key, 'done', 3);
  let report = await audit({ redis: queue.redis });
  assert.equal(report.ok, false);
  assert.deepEqual(
    report.findings.map(({ code, key, count }) => [code, key, count]),
    [['surplus', key, 3]],
  );
  await queue.redis.hincrby(key, 'done', -4);
  report = await audit({ redis: queue.redis });
  assert.deepEqual(codesOf(report), ['missing']);
  assert.equal(report.total.lost, 1);
});

test('negative control: tasks acknowledged by hand, or owned by a deleted consumer, are named as stranded', async (t) => {
  const queue = await setUp(t);
  const ids = await queue.appendMany(4, {});
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0');
  await queue.redis.xreadgroup('GROUP', 'processors', 'someone', 'COUNT', 3, 'STREAMS', 'tasks:stream', '>');
  await queue.redis.xack('tasks:stream', 'processors', ids[0] ?? '');
  let report = await audit({ redis: queue.redis });
  assert.deepEqual(report.findings[0]?.ids, ids.slice(0, 1));
  await queue.redis.xgroup('DELCONSUMER', 'tasks:stream', 'processors', 'someone');
  report = await audit({ redis: queue.redis });
  assert.deepEqual(codesOf(report), ['stranded']);
  assert.deepEqual(report.findings[0]?.ids, ids.slice(0, 3));
  assert.deepEqual(report.total, { ...EMPTY, accepted: 4, pending: 1, lost: 3 });
});

test('negative control: a retry without a schedule is named, a schedule without a retry is noted', async (t) => {
  const queue = await setUp(t);
  const consumer = await queue.consume({ backoffBaseSeconds: 60, backoffMaxSeconds: 60 });
  const [first = '', second = ''] = await queue.appendMany(2, { do: 'throw' });
  await queue.counted('retried', 2);
  await consumer.stop();
  await queue.redis.zrem(queue.keys.retries('tasks:stream', 'processors'), first);
  await queue.redis.zadd(queue.keys.retries('tasks:stream', 'processors'), 1, '7-7');
  await queue.redis.hset(queue.keys.attempts('tasks:stream', 'processors'), '8-8', '1:1:0');
  const report = await audit({ redis: queue.redis });
  assert.deepEqual(
    report.findings.map(({ severity, code, ids }) => [severity, code, ids]),
    [
      ['error', 'unscheduled', [first]],
      ['note', 'stale-schedule', ['7-7']],
      ['note', 'stale-attempts', ['8-8']],
    ],
  );
  assert.equal(report.total.scheduled, 2, second);
  assert.equal(report.ok, false);
});

test('delayed tasks are scheduled, whether their stream exists or not, and then what becomes of them', async (t) => {
  const queue = await setUp(t);
  await queue.delay({ do: 'return' }, 60_000);
  await queue.delay({}, 60_000, 'scheduled');
  const before = await audit({ redis: queue.redis });
  assert.deepEqual(before.total, { ...EMPTY, accepted: 2, scheduled: 2 });
  assert.deepEqual(codesOf(before), []);
  await queue.consume();
  for (let i = 0; i < 3; i++) await queue.delay({ do: 'return' }, 0);
  await queue.counted('done', 3);
  const report = await audit({ redis: queue.redis });
  assert.deepEqual(report.total, { ...EMPTY, accepted: 5, scheduled: 2, done: 3 });
  assert.equal(report.ok, true);
});

test('negative control: a delayed task that is deleted by hand is missed, and one left without a time is named', async (t) => {
  const queue = await setUp(t);
  const [first = '', second = '', third = ''] = await Promise.all(
    [1, 2, 3].map(() => queue.delay({}, 60_000)),
  );
  const { due, tasks, ledger } = queue.keys.schedule('tasks:stream');
  await queue.redis.zrem(due, first);
  await queue.redis.hdel(tasks, second);
  const report = await audit({ redis: queue.redis });
  assert.deepEqual(report.total, { ...EMPTY, accepted: 3, scheduled: 1, lost: 2 });
  const named = report.findings.map(({ code, ids }) => [code, ...ids]);
  assert.deepEqual(named, [
    ['delayed-without-message', second],
    ['delayed-missing', first],
  ]);
  await queue.redis.zrem(due, second, third);
  await queue.redis.hdel(tasks, first, third);
  const { stdout } = await queue.sluice(['audit']);
  assert.match(stdout, /3 delayed tasks are neither in the schedule nor promoted/);
  const { code, stderr } = await queue.sluice(['audit', '--write-off']);
  assert.equal(stderr, 'written off: 3 tasks\n');
  assert.equal(code, 0);
  assert.deepEqual((await audit({ redis: queue.redis })).total, { ...EMPTY, accepted: 3, dropped: 3 });
  assert.equal(await queue.redis.hget(ledger, 'written_off'), '3');
});

test('negative control: a dead letter removed by hand, and one added, are missed', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.appendMany(3, { do: 'give-up' });
  await queue.counted('dead', 3);
  const [letter] = await queue.deadLetters();
  await queue.redis.xdel('tasks:dlq', letter?.id ?? '');
  let report = await audit({ redis: queue.redis });
  assert.deepEqual(codesOf(report), ['dead-letters-missing']);
  assert.deepEqual(report.total, { ...EMPTY, accepted: 3, dead: 2, lost: 1 });
  await queue.redis.xadd('tasks:dlq', '*', 'a', 'b');
  await queue.redis.xadd('tasks:dlq', '*', 'a', 'b');
  report = await audit({ redis: queue.redis });
  assert.deepEqual(codesOf(report), ['dead-letters-surplus']);
});

test('it adds up after Redis was killed, restarted, and its append-only file rewritten', async (t) => {
  const queue = await setUp(t, { persistent: true });
  await queue.consume();
  await queue.appendMany(30, {});
  await queue.appendMany(2, { do: 'give-up' });
  await queue.counted('done', 30);
  await queue.counted('dead', 2);
  await queue.server.kill();
  await queue.server.restart();
  await queue.appendMany(10, {});
  await queue.counted('done', 40);
  await queue.redis.bgrewriteaof();
  await waitFor(async () => (await queue.redis.info('persistence')).includes('aof_rewrite_in_progress:0'), {
    timeoutMs: 20_000,
    what: 'the rewrite',
  });
  await queue.server.kill();
  await queue.server.restart();
  await queue.appendMany(5, {});
  await queue.counted('done', 45);
  const report = await audit({ redis: queue.redis });
  assert.deepEqual(report.findings, []);
  assert.deepEqual(report.total, { ...EMPTY, accepted: 47, done: 45, dead: 2 });
});

test('each of two groups on a stream is balanced by itself, whichever is ahead', async (t) => {
  const queue = await setUp(t);
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'slow', '0', 'MKSTREAM');
  await queue.consume();
  const ids = await queue.appendMany(500, {});
  await queue.counted('done', 500);
  await queue.redis.xreadgroup('GROUP', 'slow', 'someone', 'COUNT', 10, 'STREAMS', 'tasks:stream', '>');
  const fast = await audit({ redis: queue.redis });
  assert.deepEqual(fast.total, { ...EMPTY, accepted: 500, done: 500 });
  assert.deepEqual(codesOf(fast), []);
  const slow = await audit({ redis: queue.redis, group: 'slow' });
  assert.deepEqual(slow.total, { ...EMPTY, accepted: 500, pending: 500 });
  // Trimmed behind its back: of ten that are pending one is gone, of the unread another.
  await queue.redis.xdel('tasks:stream', ids[3] ?? '', ids[300] ?? '');
  const robbed = await audit({ redis: queue.redis, group: 'slow' });
  assert.deepEqual(robbed.total, { ...EMPTY, accepted: 500, pending: 498, lost: 2 });
  assert.deepEqual(
    robbed.findings.map(({ code, ids }) => [code, ids]),
    [
      ['gone-while-pending', [ids[3]]],
      ['missing', [ids[300]]],
    ],
  );
  assert.equal((await audit({ redis: queue.redis })).ok, true, 'the other group had settled both');
});

test('tasks taken over from a consumer that died count as possible duplicates', async (t) => {
  const queue = await setUp(t);
  await queue.appendMany(6, {});
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0');
  await queue.redis.xreadgroup('GROUP', 'processors', 'dead', 'COUNT', 4, 'STREAMS', 'tasks:stream', '>');
  await queue.consume({ leaseSeconds: 1 });
  await queue.counted('done', 6);
  const { total, ok } = await audit({ redis: queue.redis });
  assert.deepEqual(total, { ...EMPTY, accepted: 6, done: 6, duplicated: 4 });
  assert.equal(ok, true);
});

test('with --drop-oldest, what was trimmed unread counts as dropped', async (t) => {
  const queue = await setUp(t);
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0', 'MKSTREAM');
  await queue.appendMany(10, {});
  await queue.redis.xtrim('tasks:stream', 'MAXLEN', 4);
  assert.equal((await queue.sluice(['audit'])).code, 1);
  const { code, stdout } = await queue.sluice(['audit', '--drop-oldest']);
  assert.equal(code, 0);
  assert.match(stdout, /^accepted 10 = done 0 \+ pending 4 .* \+ dropped 6; lost 0/m);
});

test('--write-off accepts what is lost: it counts as dropped, and the audit is clean until more is lost', async (t) => {
  const queue = await setUp(t);
  const ids = await queue.appendMany(6, {});
  await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0');
  await queue.redis.xreadgroup('GROUP', 'processors', 'someone', 'COUNT', 1, 'STREAMS', 'tasks:stream', '>');
  await queue.redis.xack('tasks:stream', 'processors', ids[0] ?? ''); // stranded
  await queue.redis.xdel('tasks:stream', ids[3] ?? ''); // missing
  await queue.consume();
  await queue.append({ do: 'give-up' });
  await queue.counted('done', 4);
  await queue.counted('dead', 1);
  await queue.redis.del('tasks:dlq'); // a letter missing
  const key = queue.keys.ledger('tasks:stream', 'processors');
  await queue.redis.hincrby(key, 'lost', 1);
  await queue.redis.hincrby(key, 'done', -1);
  assert.deepEqual((await audit({ redis: queue.redis })).total, { ...EMPTY, accepted: 7, done: 3, lost: 4 });

  const { code, stdout, stderr } = await queue.sluice(['audit', '--write-off']);
  assert.equal(code, 0, stdout);
  assert.equal(stderr, 'written off: 4 tasks\n');
  assert.match(stdout, /^accepted 7 = done 3 .* \+ dropped 4; lost 0/m);
  await queue.redis.hincrby(key, 'done', -1);
  assert.equal((await audit({ redis: queue.redis })).total.lost, 1);
});

test('a queue that is not there is no proof of anything', async (t) => {
  const queue = await setUp(t);
  await queue.append({});
  const { code, stdout } = await queue.sluice(['audit', '--stream', 'taks:stream']);
  assert.equal(code, 1);
  assert.match(stdout, /there is no stream of this name/);
});

test('it needs no memory of Redis, and no writing', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.appendMany(5, {});
  await queue.counted('done', 5);
  await queue.redis.config('SET', 'maxmemory', '1');
  assert.equal((await audit({ redis: queue.redis })).ok, true);
});

test('--watch audits until it is interrupted, and ends with what it has seen', async (t) => {
  const queue = await setUp(t);
  await queue.append({});
  const { spawn } = await import('node:child_process');
  const bin = new URL('../../bin/sluice.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [bin, 'audit', '--watch', '--every', '0.1'], {
    env: { ...process.env, REDIS_URL: queue.server.url },
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const lines = (part: string) => output.split('\n').filter((line) => line.includes(part)).length;
  await waitFor(() => lines('accepted 1 = ') >= 2, { timeoutMs: 20_000, what: 'two audits' });
  await queue.redis.hset(queue.keys.ledger('tasks:stream', 'processors'), 'lost', '1');
  await waitFor(() => lines('lost 1') >= 1, { timeoutMs: 20_000, what: 'the loss' });
  await queue.redis.del(queue.keys.ledger('tasks:stream', 'processors'));
  await waitFor(() => lines('  gone   ') >= 1, { timeoutMs: 20_000, what: 'the finding to go' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  assert.equal(await exited, 1);
});
