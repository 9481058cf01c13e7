import assert from 'node:assert/strict';
import type { ConformanceTarget, Run, TargetOptions } from './target.js';

/** Something that holds on whatever tasks run on. */
export interface ConformancePromise {
  readonly options?: TargetOptions;
  /** Throws when it does not hold. */
  readonly check: (target: ConformanceTarget) => Promise<void>;
  /** Set when it can be shown on one target only: which, and why. */
  readonly only?: { readonly target: 'memory' | 'redis'; readonly because: string };
}

/** For what is taken over, or takes longer. */
const SHORT_LEASE = { leaseSeconds: 1 };
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const attemptsOf = (runs: readonly Run[], id: string) =>
  runs.filter((run) => run.taskId === id).map((run) => run.attempt);

const startsOf = (runs: readonly Run[], id: string) =>
  runs.filter((run) => run.taskId === id).map((run) => run.startedAt);

function waits(runs: readonly Run[], id: string): number[] {
  const starts = startsOf(runs, id);
  return starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
}

/** Appended, and now done, dead, lost or still there: nothing else. */
async function assertLedgerAddsUp(target: ConformanceTarget): Promise<void> {
  const { appended, left } = await target.entries();
  const { done = 0, dead = 0, lost = 0 } = await target.ledger();
  assert.equal(done + dead + lost + left, appended);
  assert.equal((await target.deadLetters()).length, dead);
}

/**
 * A control asks for a long back-off: what is tried again at once comes too soon on a slow machine, too. Whoever keeps it
 * would have to wait.
 */
export function backoffIsKept(ms: number): ConformancePromise {
  return {
    options: { maxAttempts: 4, backoffBaseSeconds: ms / 1000, backoffMaxSeconds: (2.5 * ms) / 1000 },
    async check(target) {
      const ids = [await target.add({ do: 'throw' }), await target.add({ do: 'throw' })];
      await target.drained();
      const runs = await target.runs();
      for (const id of ids) {
        const [first = 0, second = 0, third = 0] = waits(runs, id);
        const isKept = first >= ms && second >= 2 * ms && third >= 2.5 * ms;
        assert.ok(isKept, `waited ${first}, ${second}, ${third} ms`);
      }
    },
  };
}

/** What both the test mode and a real Redis promise, by name. */
export const PROMISES: Readonly<Record<string, ConformancePromise>> = {
  'a task is done once, and leaves the stream': {
    async check(target) {
      const ids = [await target.add(), await target.add(), await target.add()];
      await target.drained();
      const runs = await target.runs();
      for (const id of ids) {
        assert.equal(await target.state(id), 'done');
        assert.deepEqual(attemptsOf(runs, id), [1]);
      }
      assert.deepEqual(await target.ledger(), { done: 3 });
      assert.deepEqual(await target.entries(), { appended: 3, left: 0 });
    },
  },

  'a task that fails is run again, with the next attempt number, until it works': {
    async check(target) {
      const id = await target.add({ do: 'throw', until: 2 });
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1, 2, 3]);
      assert.equal(await target.state(id), 'done');
      assert.deepEqual(await target.ledger(), { retried: 2, done: 1 });
    },
  },

  'a task that failed for the last time is one dead letter, with everything one needs': {
    options: { maxAttempts: 2 },
    async check(target) {
      const payload = JSON.stringify({ data: { journal: '/nowhere/at/all' }, metadata: { from: 'test' } });
      const original = {
        task_id: '0b4dbf0c-6a2b-4b43-9d0a-1c8f1d9d0001',
        timestamp: '2026-01-01T00:00:00.000Z',
        type: 'default',
        content_type: 'application/json',
        payload,
        trace_context: TRACE,
      };
      await target.addEntry('default', { ...original, of_ours: 'not' });
      await target.drained();
      const [letter, ...others] = await target.deadLetters();
      assert.deepEqual(others, []);
      const { error_stack, first_failed_at, last_failed_at, consumer, source_id, ...plain } = letter ?? {};
      assert.deepEqual(plain, {
        ...original,
        of_ours: 'not',
        reason: 'attempts-exhausted',
        attempts: '2',
        crashes: '0',
        error_name: 'Error',
        error_message: "ENOENT: no such file or directory, open '/nowhere/at/all'",
        group: 'processors',
        source_stream: 'tasks:stream',
      });
      assert.deepEqual(Object.keys(letter ?? {}), [
        ...Object.keys(original),
        'of_ours',
        ...['reason', 'attempts', 'crashes', 'error_name', 'error_message', 'error_stack'],
        ...['first_failed_at', 'last_failed_at', 'consumer', 'group', 'source_stream', 'source_id'],
      ]);
      assert.match(error_stack ?? '', /^Error: ENOENT: .*\n.* at /);
      assert.match(first_failed_at ?? '', ISO);
      assert.match(last_failed_at ?? '', ISO);
      assert.ok(Date.parse(last_failed_at ?? '') - Date.parse(first_failed_at ?? '') >= 50);
      assert.match(consumer ?? '', /^.+:\d+:\d+$/);
      assert.match(source_id ?? '', /^\d+-\d+$/);
    },
  },

  'a retry never comes before its back-off is over, which doubles': backoffIsKept(200),

  'Unrecoverable is not tried again': {
    async check(target) {
      const id = await target.add({ do: 'throw-unrecoverable' });
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1]);
      const [letter] = await target.deadLetters();
      assert.equal(letter?.reason, 'unrecoverable');
      assert.equal(letter?.attempts, '1');
      assert.equal(letter?.error_message, 'never going to work');
    },
  },

  'RetryAfter takes the place of the back-off, and counts as an attempt': {
    options: { maxAttempts: 2, backoffBaseSeconds: 300 },
    async check(target) {
      const works = await target.add({ do: 'throw-retry-after', ms: 300, until: 1 });
      const fails = await target.add({ do: 'throw-retry-after', ms: 300 });
      await target.drained();
      const runs = await target.runs();
      for (const id of [works, fails]) {
        const [wait = 0] = waits(runs, id);
        assert.ok(wait >= 300, `came back after ${wait} ms`);
        assert.deepEqual(attemptsOf(runs, id), [1, 2]);
      }
      assert.equal(await target.state(works), 'done');
      assert.equal(await target.state(fails), 'dead');
      assert.equal((await target.deadLetters())[0]?.error_name, 'RetryAfter');
    },
  },

  'a handler that runs out of time has its signal aborted, and has failed': {
    options: { taskTimeoutSeconds: 0.3, maxAttempts: 2 },
    async check(target) {
      const id = await target.add({ do: 'wait-for-abort' });
      await target.drained();
      const [wait = 0] = waits(await target.runs(), id);
      assert.ok(wait >= 350, `ran again after ${wait} ms`);
      assert.deepEqual(await target.aborted(), ['TaskTimeout', 'TaskTimeout']);
      const [letter] = await target.deadLetters();
      assert.equal(letter?.error_name, 'TaskTimeout');
      assert.equal(letter?.error_message, 'the handler did not settle within 300 ms');
      assert.deepEqual(await target.ledger(), { retried: 1, dead: 1 });
    },
  },

  'a handler that never settles fails by its time, whether it asked for its signal or not': {
    options: { taskTimeoutSeconds: 0.3, maxAttempts: 2 },
    async check(target) {
      const id = await target.add({ do: 'never-settle' });
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1, 2]);
      assert.equal((await target.deadLetters())[0]?.reason, 'attempts-exhausted');
    },
  },

  'the policy of a handler goes before the options of the consumer': {
    options: { maxAttempts: 5, taskTimeoutSeconds: 20 },
    async check(target) {
      const throwing = await target.addTyped('choosy', { do: 'throw' });
      const hanging = await target.addTyped('choosy', { do: 'hang' });
      const other = await target.add({ do: 'throw', until: 4 });
      await target.drained();
      const runs = await target.runs();
      assert.deepEqual(attemptsOf(runs, throwing), [1, 2]);
      assert.deepEqual(attemptsOf(runs, hanging), [1, 2]);
      assert.deepEqual(attemptsOf(runs, other), [1, 2, 3, 4, 5]);
      assert.deepEqual(await target.aborted(), ['TaskTimeout', 'TaskTimeout']);
      const letters = await target.deadLetters();
      assert.deepEqual(
        letters.map((letter) => letter.attempts),
        ['2', '2'],
      );
      assert.ok(letters.every((letter) => letter.source_stream === 'tasks:stream:choosy'));
    },
  },

  'poison of every kind is a dead letter with the reason; no handler sees it, and the others get done': {
    async check(target) {
      const message = { task_id: 'p', type: 'default', payload: '{"data":1}' };
      const kinds: [reason: string, type: string, fields: Record<string, string>][] = [
        ['undecodable', 'default', { ...message, payload: '{"data":' }],
        ['undecodable', 'default', { ...message, payload: '' }],
        ['undecodable', 'default', { ...message, payload: '[]' }],
        ['undecodable', 'default', { ...message, payload: '{"metadata":{}}' }],
        ['undecodable', 'default', { ...message, content_type: 'text/html' }],
        ['undecodable', 'default', { ...message, content_type: 'application/msgpack' }],
        ['missing-field', 'default', { ...message, task_id: '' }],
        ['missing-field', 'default', { ...message, type: '' }],
        ['missing-field', 'default', { hello: 'world' }],
        ['unknown-type', 'default', { ...message, type: 'nobody-knows' }],
        ['schema-mismatch', 'measured', { ...message, type: 'measured' }],
        ['schema-mismatch', 'measured', { ...message, type: 'measured', payload: '{"data":{"width":1}}' }],
      ];
      for (const [, type, fields] of kinds) await target.addEntry(type, fields);
      const good = [await target.add(), await target.addTyped('measured', { width: 1 })];
      await target.drained();
      const letters = await target.deadLetters();
      assert.deepEqual(letters.map((letter) => letter.reason).sort(), kinds.map(([reason]) => reason).sort());
      for (const { attempts, crashes, error_message } of letters) {
        assert.equal(attempts, '0');
        assert.equal(crashes, '0');
        assert.notEqual(error_message, '');
      }
      for (const id of good) assert.equal(await target.state(id), 'done');
      assert.equal((await target.runs()).length, good.length);
      await assertLedgerAddsUp(target);
    },
  },

  'whatever a handler throws is evidence': {
    options: { maxAttempts: 1 },
    async check(target) {
      for (const what of ['throw-null', 'throw-string', 'throw-bigint', 'throw-circular'] as const) {
        await target.add({ do: what });
      }
      await target.drained();
      const seen = (await target.deadLetters()).map((letter) => [letter.error_name, letter.error_message]);
      assert.deepEqual(seen.sort(), [
        ['ThrownBigint', '10'],
        ['ThrownNull', 'null'],
        ['ThrownObject', '<ref *1> { self: [Circular *1] }'],
        ['ThrownString', 'text'],
      ]);
    },
  },

  'a task that brings down its thread has failed, and its neighbours lose no attempt': {
    options: { maxAttempts: 2, threads: 1 },
    async check(target) {
      const before = [await target.add(), await target.add()];
      const culprit = await target.addCrashing('thread', 9);
      const after = [await target.add(), await target.add()];
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), culprit), [1, 2]);
      const [letter, ...others] = await target.deadLetters();
      assert.deepEqual(others, []);
      const { task_id, reason, attempts, crashes, error_name } = letter ?? {};
      assert.deepEqual(
        { task_id, reason, attempts, crashes, error_name },
        { task_id: culprit, reason: 'crashed', attempts: '2', crashes: '0', error_name: 'ThreadDied' },
      );
      for (const id of [...before, ...after]) assert.equal(await target.state(id), 'done');
      const { done, retried, dead } = await target.ledger();
      assert.deepEqual({ done, retried, dead }, { done: 4, retried: 1, dead: 1 });
    },
  },

  'a task whose process died runs again, with a higher attempt, once its lease is over': {
    options: { process: true, ...SHORT_LEASE },
    async check(target) {
      const id = await target.addCrashing('process', 1);
      await target.drained();
      const runs = await target.runs();
      assert.deepEqual(attemptsOf(runs, id), [1, 2]);
      const [wait = 0] = waits(runs, id);
      assert.ok(wait >= 990, `taken over after ${wait} ms`);
      assert.equal(await target.state(id), 'done');
      assert.deepEqual(await target.ledger(), { taken_over: 1, done: 1 });
    },
  },

  'a task that keeps killing its process is a dead letter in the end, without being run once more': {
    options: { process: true, ...SHORT_LEASE, maxCrashes: 2 },
    async check(target) {
      const id = await target.addCrashing('process', 9);
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1, 2]);
      const [letter] = await target.deadLetters();
      const { task_id, reason, attempts, crashes } = letter ?? {};
      assert.deepEqual(
        { task_id, reason, attempts, crashes },
        { task_id: id, reason: 'crashed', attempts: '0', crashes: '2' },
      );
      assert.deepEqual(await target.ledger(), { taken_over: 2, dead: 1 });
    },
  },

  'the outcome of a process that was frozen past its lease does not count': {
    options: { process: true, ...SHORT_LEASE, threads: 1 },
    async check(target) {
      const id = await target.addFreezing({ ms: 3000, againMs: 700 });
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1, 2]);
      assert.equal(await target.state(id), 'done');
      assert.deepEqual(await target.ledger(), { taken_over: 1, done: 1 });
      await soon(async () => assert.equal(await target.fenced(), 1));
    },
  },

  'a handler whose task was taken over is told so by its signal': {
    options: { process: true, ...SHORT_LEASE, threads: 1, taskTimeoutSeconds: 600 },
    async check(target) {
      const id = await target.addFreezing({ do: 'wait-for-abort', until: 1 });
      await target.drained();
      assert.equal(await target.state(id), 'done');
      await soon(async () => assert.deepEqual(await target.aborted(), ['LeaseLost']));
    },
  },

  'a task that takes longer than the lease stays with its consumer': {
    options: { leaseSeconds: 2, taskTimeoutSeconds: 7, maxAttempts: 1 },
    async check(target) {
      const id = await target.add({ do: 'wait-for-abort' });
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1]);
      assert.deepEqual(await target.ledger(), { dead: 1 });
    },
  },

  'an outcome whose reply was lost counts once': {
    async check(target) {
      await target.add(); // Redis then knows the script; its reply to one it does not know must not be lost
      await target.drained();
      // One: a thread writes no more outcomes of a type while it waits for a reply.
      const id = await target.add({ ms: 300 });
      await target.strike('replies-lost');
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1]);
      assert.deepEqual(await target.ledger(), { done: 2 });
    },
  },

  'outcomes that Redis is not there for are written when it is back, and no handler runs again': {
    async check(target) {
      const ids = [await target.add({ ms: 300 }), await target.add({ ms: 300 })];
      await target.strike('redis-away');
      await target.drained();
      for (const id of ids) {
        assert.deepEqual(attemptsOf(await target.runs(), id), [1]);
        assert.equal(await target.state(id), 'done');
      }
      assert.deepEqual(await target.ledger(), { done: 2 });
    },
  },

  'outcomes that Redis refuses are written when it does no longer, and no handler runs again': {
    async check(target) {
      const ids = [await target.add({ ms: 300 }), await target.add({ ms: 300 })];
      await target.strike('writes-refused');
      await target.drained();
      for (const id of ids) assert.deepEqual(attemptsOf(await target.runs(), id), [1]);
      assert.deepEqual(await target.ledger(), { done: 2 });
    },
  },

  'each group gets every task, and sees nothing of the retries of others': {
    async check(target) {
      await target.join('others');
      for (let i = 0; i < 20; i++) await target.add(i % 4 === 0 ? { do: 'throw', until: 1 } : {});
      await target.drained();
      assert.deepEqual(await target.ledger(), { retried: 5, done: 20 });
      assert.deepEqual(await target.ledger('others'), { retried: 5, done: 20 });
      assert.equal((await target.runs()).length, 50);
      // What all have acknowledged is removed by the engine's trimmer, not by those who acknowledge it.
      assert.deepEqual(await target.entries(), { appended: 20, left: 20 });
    },
  },

  'a task whose entry was deleted is lost, and counted as such': {
    options: { backoffBaseSeconds: 0.5 },
    async check(target) {
      const id = await target.add({ do: 'throw' });
      await target.untilParked(id);
      await target.deleteEntry(id);
      await target.drained();
      assert.equal(await target.state(id), 'lost');
      assert.deepEqual(attemptsOf(await target.runs(), id), [1]);
      assert.deepEqual(await target.ledger(), { retried: 1, lost: 1 });
    },
  },

  'a task that was appended twice runs twice, and can be told by its id': {
    async check(target) {
      const id = await target.add();
      await target.add({}, id);
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1, 1]);
      assert.deepEqual(await target.ledger(), { done: 2 });
    },
  },

  'tasks of one type start in the order in which they were stored, retries come later': {
    options: { threads: 1, maxConcurrentTasks: 1 },
    async check(target) {
      const ids = [await target.add({ do: 'throw', until: 1 })];
      for (let i = 0; i < 9; i++) ids.push(await target.add());
      await target.drained();
      const firsts = (await target.runs()).filter(({ attempt }) => attempt === 1).map(({ taskId }) => taskId);
      assert.deepEqual(firsts, ids);
    },
  },

  'the ledger adds up after all of it': {
    options: { maxAttempts: 2, threads: 1, taskTimeoutSeconds: 0.3 },
    async check(target) {
      for (let i = 0; i < 5; i++) {
        await target.add();
        await target.add({ do: 'throw', until: 1 });
        await target.add({ do: 'throw' });
        await target.add({ do: 'throw-unrecoverable' });
      }
      await target.add({ do: 'never-settle' });
      await target.addCrashing('thread', 1);
      await target.addEntry('default', { hello: 'world' });
      await target.drained();
      await assertLedgerAddsUp(target);
      const { done, dead } = await target.ledger();
      assert.deepEqual({ done, dead }, { done: 11, dead: 12 });
    },
  },

  'a task that was through when its process died, before Redis was told, runs again': {
    only: {
      target: 'memory',
      because:
        'on a real Redis it takes a kill between two instructions; npm run torture does so by the number',
    },
    async check(target) {
      const id = await target.addCrashing('process', 1, 'settling');
      await target.drained();
      assert.deepEqual(attemptsOf(await target.runs(), id), [1, 2]);
      assert.deepEqual(await target.ledger(), { taken_over: 1, done: 1 });
    },
  },
};

/** Checks again until it holds: what a process says of itself comes a moment after Redis was told. */
async function soon(check: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      await check();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await check();
}
