import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { queueKeys } from '@sluice/contract';
import { waitFor } from '@sluice/testbed';
import { type Fixture, setUp } from './fixture.js';

const STREAM = 'tasks:stream';
const keys = queueKeys(STREAM);

/** Appends tasks that one read can bring together, as the engine does where it tracks them. */
async function appendTracked(
  queue: Fixture,
  scripts: readonly object[],
  type = 'default',
): Promise<{ taskId: string; entry: string; key: string }[]> {
  const taskIds = scripts.map(() => randomUUID());
  const transaction = queue.redis.multi();
  for (const [i, script] of scripts.entries()) {
    const payload = JSON.stringify({ data: { journal: queue.journal, ...script } });
    const fields = { task_id: taskIds[i] ?? '', type, payload, tracked: '60000' };
    transaction.xadd(STREAM, '*', ...Object.entries(fields).flat());
  }
  const entries = ((await transaction.exec()) ?? []).map(([, id]) => String(id));
  const tracked = taskIds.map((taskId, i) => ({
    taskId,
    entry: entries[i] ?? '',
    key: keys.tracked(STREAM, taskId),
  }));
  for (const { key, entry } of tracked) await queue.redis.hset(key, 'entry', entry);
  return tracked;
}

async function noted(queue: Fixture, key: string): Promise<string> {
  let line: string | null = null;
  await waitFor(
    async () => {
      line = await queue.redis.hget(key, 'group:processors');
      return line !== null;
    },
    { timeoutMs: 20_000, what: 'the consumer to say what became of the task' },
  );
  return line ?? '';
}

async function withTracked(t: TestContext, scripts: readonly object[], type?: string) {
  const queue = await setUp(t);
  const tasks = await appendTracked(queue, scripts, type);
  return { queue, tasks, keyOf: (index: number) => tasks[index]?.key ?? '' };
}

test('a consumer says of a tracked task that it is done, and when, in the step that acknowledges it', async (t) => {
  const { queue, keyOf } = await withTracked(t, [{}, {}]);
  await queue.append({ journal: queue.journal });
  await queue.consume();
  for (const index of [0, 1]) {
    const [, at] = /^done (\d{13})$/.exec(await noted(queue, keyOf(index))) ?? [];
    assert.ok(Math.abs(Number(at) - Date.now()) < 60_000);
  }
  await queue.drained();
  assert.equal((await queue.redis.keys('task:*')).length, 2);
});

test('of a task that resolved just before its thread died, it is said all the same', async (t) => {
  const { queue, keyOf } = await withTracked(t, [{ ms: 100 }, { do: 'exit', ms: 100, until: 1 }]);
  await queue.consume({ threads: 1 });
  assert.match(await noted(queue, keyOf(0)), /^done /);
  assert.match(await noted(queue, keyOf(1)), /^done |^dead /);
});

test('of one that nobody can run, it says where its dead letter is, and why', async (t) => {
  const { queue, keyOf } = await withTracked(t, [{}], 'nobody-knows');
  await queue.consume();
  const [, letter, attempts, reason] =
    /^dead \d{13} (\S+) (\d+) (\S+)$/.exec(await noted(queue, keyOf(0))) ?? [];
  assert.deepEqual([attempts, reason], ['0', 'unknown-type']);
  assert.equal((await queue.redis.xrange(keys.deadLetters, letter ?? '', letter ?? '')).length, 1);
});

test('what is not known any more stays unknown, and what is known of another entry stays as it is', async (t) => {
  const { queue, keyOf } = await withTracked(t, [{}, {}, {}, { do: 'throw-unrecoverable' }]);
  await queue.redis.del(keyOf(0));
  await queue.redis.hset(keyOf(1), 'entry', '9-9');
  await queue.redis.del(keyOf(2));
  await queue.redis.set(keyOf(2), 'not ours');
  await queue.redis.hset(keyOf(3), 'entry', '9-9');
  await queue.consume();
  await queue.drained();
  assert.equal(await queue.redis.exists(keyOf(0)), 0);
  assert.deepEqual(await queue.redis.hgetall(keyOf(1)), { entry: '9-9' });
  assert.equal(await queue.redis.get(keyOf(2)), 'not ours');
  assert.deepEqual(await queue.redis.hgetall(keyOf(3)), { entry: '9-9' });
});
