import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { type Fixture, SHORT_LEASE, setUp, soon } from './fixture.js';

/** Kills a process in the middle of its work, lets another take over, and returns the tasks nobody finished. */
async function unfinishedAfterKill(queue: Fixture, env: Record<string, string> = {}): Promise<string[]> {
  const victim = await queue.consumeInProcess(SHORT_LEASE, env);
  // None is through before the kill, however late that comes.
  const ids = await queue.appendScripts(20, { ms: 20_000, againMs: 10 });
  await queue.until('start', 20);
  victim.signal('SIGKILL');
  await victim.exited;
  await queue.consume(SHORT_LEASE);
  await queue.drained();
  const ended = new Set(queue.ids('end'));
  return ids.filter((id) => !ended.has(id));
}

// They wait for leases to run out, each on a Redis of its own.
describe('what another process takes over', { concurrency: 3 }, () => {
  test('the tasks of a process that was killed are taken over by another', async (t) => {
    const queue = await setUp(t);
    assert.deepEqual(await unfinishedAfterKill(queue), []);
    const ledger = await queue.ledger();
    assert.equal(ledger.done, 20);
    const again = queue.lines().filter((line) => line.event === 'start' && line.attempt === 2);
    assert.equal(again.length, 20);
    assert.equal(ledger.taken_over, again.length);
  });

  test('negative control: tasks of a consumer that acknowledges first are lost with it', async (t) => {
    const queue = await setUp(t);
    const lost = await unfinishedAfterKill(queue, { CONSUMER_BREAK: 'acknowledge-first' });
    assert.ok(lost.length > 0);
  });

  test('a task that takes much longer than the lease stays with its consumer', async (t) => {
    const queue = await setUp(t);
    const lease = { leaseSeconds: 3 }; // nobody is to miss it, on a machine that stands still neither
    const { events } = await queue.consume(lease);
    await queue.consume(lease);
    await queue.appendScripts(40, { ms: 9000 });
    await queue.drained();
    assert.equal(queue.ids('start').length, 40);
    assert.deepEqual(await queue.ledger(), { done: 40 });
    assert.deepEqual(
      events.filter((event) => event.type === 'tasks-taken-over'),
      [],
    );
  });

  test('the late outcome of a process that was frozen past its lease is fenced off', async (t) => {
    const queue = await setUp(t);
    const frozen = await queue.consumeInProcess({ ...SHORT_LEASE, threads: 1 });
    await queue.appendScripts(5, { ms: 5000, againMs: 100 });
    await queue.until('start', 5);
    frozen.signal('SIGSTOP');
    const { consumer } = await queue.consume(SHORT_LEASE);
    await queue.until('start', 10);
    frozen.signal('SIGCONT');
    await queue.drained();
    await waitFor(() => frozen.output().split('outcome-fenced').length - 1 === 5, {
      timeoutMs: 60_000,
      what: 'five outcomes to be fenced off',
    });
    assert.equal(queue.ids('end').length, 10);
    assert.deepEqual(await queue.ledger(), { taken_over: 5, done: 5 });
    await soon('the other to count them', () => consumer.counters.done === 5);
  });

  test('a task that kills its process is a dead letter after its crashes, and the others get done', async (t) => {
    const queue = await setUp(t);
    const ids = await queue.appendScripts(10);
    const deadly = await queue.append({ journal: queue.journal, do: 'kill-process' });
    for (let lives = 0; lives < 3; lives++) {
      const process = await queue.consumeInProcess({ ...SHORT_LEASE, threads: 1 });
      await process.exited;
    }
    const { events } = await queue.consume(SHORT_LEASE);
    await queue.drained();
    await soon('the dead letter to be reported by its name', () =>
      events.some((event) => event.type === 'task-dead' && event.taskId === deadly),
    );
    assert.equal(queue.ids('start').filter((id) => id === deadly).length, 3);
    assert.deepEqual(
      (await queue.deadLetters()).map((letter) => [letter.task_id, letter.reason, letter.crashes]),
      [[deadly, 'crashed', '3']],
    );
    for (const id of ids) assert.ok(queue.ids('end').includes(id));
  });

  test('what somebody deleted while it was pending is counted as lost', async (t) => {
    const queue = await setUp(t);
    const victim = await queue.consumeInProcess({ ...SHORT_LEASE, threads: 1 });
    await queue.appendScripts(3, { do: 'never-settle' });
    await queue.until('start', 3);
    victim.signal('SIGKILL');
    await victim.exited;
    const entries = await queue.redis.xrange('tasks:stream', '-', '+');
    await queue.redis.xdel('tasks:stream', ...entries.map(([id]) => id));
    const { events } = await queue.consume(SHORT_LEASE);
    await waitFor(async () => (await queue.ledger()).lost === 3, {
      timeoutMs: 60_000,
      what: 'the loss to be noticed',
    });
    await soon('the loss to be reported', () => events.some((event) => event.type === 'tasks-lost'));
  });
});
