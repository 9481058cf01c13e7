import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createConsumer } from '@sluice/consumers';
import { startProcess, waitFor } from '@sluice/testbed';
import { type System, type SystemOptions, startSystem } from './system.js';

const HANDLERS = fileURLToPath(new URL('./status-handlers.js', import.meta.url));
const SLUICE = fileURLToPath(new URL('../../cli/bin/sluice.js', import.meta.url));
/** A consumer that breaks the promise on purpose; see there. */
const ACKNOWLEDGES_FIRST = fileURLToPath(new URL('./acknowledges-first.js', import.meta.url));

interface Answer {
  status: string;
  task_id?: string;
  type?: string;
  attempts?: number;
  run_at?: string;
  queued_at?: string;
  next_attempt_at?: string;
  finished_at?: string;
  reason?: string;
  error?: { name?: string; message: string; code?: string };
  groups?: Record<string, Answer>;
}

function start(t: TestContext, { env, ...rest }: SystemOptions = {}): Promise<System> {
  const quick = { RETRY_BACKOFF_BASE: '1', RETRY_BACKOFF_JITTER: '0', TASK_LEASE: '2', MAX_ATTEMPTS: '2' };
  return startSystem(t, {
    ...rest,
    // Schemas would have the programs load a compiler for them.
    env: { HANDLER_MODULE: HANDLERS, SCHEMA_MODULE: '', TRACK_TASKS: 'true', ...quick, ...env },
  });
}

async function send(system: System, data: object = {}, timing: object = {}): Promise<string> {
  const response = await fetch(`${system.url}/tasks`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ data, ...timing }),
  });
  assert.equal(response.status, 202);
  return ((await response.json()) as { task_id: string }).task_id;
}

async function ask(system: System, id: string): Promise<Answer> {
  const response = await fetch(`${system.url}/tasks/${id}`);
  const answer = (await response.json()) as Answer;
  assert.ok(response.ok, JSON.stringify(answer));
  return answer;
}

/** The same, of an engine that has lost Redis: asks again as long as it is told to. Either process may be asked. */
async function askAgain(system: System, id: string): Promise<Answer> {
  let told: Response | undefined;
  await waitFor(
    async () => {
      told = await fetch(`${system.url}/tasks/${id}`);
      return told.status !== 503;
    },
    { timeoutMs: 60_000, what: 'an engine process that reaches Redis again' },
  );
  const answer = (await told?.json()) as Answer;
  assert.ok(told?.ok, JSON.stringify(answer));
  return answer;
}

/** Waits until a task is what it is to be; never having been one of `never`. */
async function until(system: System, id: string, wanted: string, ...never: string[]): Promise<Answer> {
  let answer: Answer = { status: 'never told' };
  const seen = new Set<string>();
  await waitFor(
    async () => {
      answer = await ask(system, id);
      seen.add(answer.status);
      return answer.status === wanted || never.some((status) => seen.has(status));
    },
    { timeoutMs: 60_000, what: `the task to be ${wanted}` },
  );
  assert.equal(answer.status, wanted, `was ${[...seen].join(', ')}: ${JSON.stringify(answer)}`);
  assert.deepEqual(
    never.filter((status) => seen.has(status)),
    [],
  );
  return answer;
}

/** What is said of a task whose handler has not got to its end, once it is said to be past some statuses. */
async function saidWhileItRuns(
  system: System,
  past: readonly string[],
  consumer?: string,
): Promise<[during: Answer, after: Answer]> {
  const gate = join(system.digestDir, 'gate');
  const id = await send(system, { until: gate });
  assert.equal((await ask(system, id)).status, 'queued');
  await system.addConsumer(consumer);
  let during: Answer | undefined;
  await waitFor(
    async () => {
      during = await ask(system, id);
      return !past.includes(during.status);
    },
    { timeoutMs: 60_000, what: `the task to be past ${past.join(' and ')}` },
  );
  writeFileSync(gate, '');
  return [during as Answer, await until(system, id, 'done')];
}

async function sluice(system: System, ...args: string[]): Promise<void> {
  const command = startProcess(SLUICE, { REDIS_URL: system.redis.url }, args);
  const { code } = await command.exited;
  assert.equal(code, 0);
}

// Each has programs and a Redis of its own, and waits for them for most of its time.
describe('the status of a task', { concurrency: 3 }, () => {
  test('a task is queued, then running until its handler has resolved, then done', async (t) => {
    const system = await start(t);
    const [during, after] = await saidWhileItRuns(system, ['queued']);
    assert.equal(during.status, 'running');
    assert.equal(during.type, 'default');
    assert.equal(during.finished_at, undefined);
    assert.ok(Date.parse(after.finished_at ?? '') >= Date.parse(after.queued_at ?? ''));
    assert.equal(after.groups, undefined);
  });

  test('a status that says done before the handler has resolved is caught', async (t) => {
    // It is running for a moment, until it has been acknowledged.
    const [during] = await saidWhileItRuns(await start(t), ['queued', 'running'], ACKNOWLEDGES_FIRST);
    assert.equal(during.status, 'done');
  });

  test('a task that fails once is failed until its next attempt, then done', async (t) => {
    const system = await start(t);
    await system.addConsumer();
    const id = await send(system, { failing: 1 });
    const failed = await until(system, id, 'failed', 'done', 'dead');
    assert.equal(failed.attempts, 1);
    assert.ok(Date.parse(failed.next_attempt_at ?? '') > Date.parse(failed.queued_at ?? ''));
    await until(system, id, 'done', 'dead', 'gone');
  });

  test('a dead task says why; once its letter is purged, only that it is dead', async (t) => {
    const system = await start(t);
    await system.addConsumer();
    const id = await send(system, { failing: 9 });
    const dead = await until(system, id, 'dead', 'done', 'gone');
    assert.deepEqual([dead.reason, dead.attempts], ['attempts-exhausted', 2]);
    assert.deepEqual(dead.error, { name: 'TypeError', message: 'attempt 2 failed' });
    assert.ok(dead.finished_at);
    await sluice(system, 'dlq', 'purge', '--all', '--yes');
    const { error, ...purged } = await ask(system, id);
    assert.equal(error, undefined);
    assert.deepEqual({ ...purged, error: dead.error }, dead);
  });

  test('a dead task that is sent back is queued, and done in the end', async (t) => {
    const system = await start(t);
    const consumer = await system.addConsumer();
    const fixed = join(system.digestDir, 'fixed');
    const id = await send(system, { worksWith: fixed });
    assert.equal((await until(system, id, 'dead')).reason, 'unrecoverable');
    consumer.signal('SIGTERM');
    await consumer.exited;
    await sluice(system, 'dlq', 'retry', '--all', '--no-wait');
    const again = await ask(system, id);
    assert.deepEqual([again.status, again.attempts, again.reason], ['queued', 0, undefined]);
    writeFileSync(fixed, '');
    await system.addConsumer();
    await until(system, id, 'done', 'dead', 'gone');
  });

  test('a task whose consumer is killed is running until it is taken over, and done in the end', async (t) => {
    const system = await start(t);
    const gate = join(system.digestDir, 'gate');
    const first = await system.addConsumer();
    const id = await send(system, { until: gate });
    await until(system, id, 'running');
    first.signal('SIGKILL');
    await first.exited;
    assert.equal((await ask(system, id)).status, 'running');
    await system.addConsumer();
    const { attempts } = await until(system, id, 'running', 'done', 'dead', 'gone', 'failed');
    assert.equal(attempts, 0);
    writeFileSync(gate, '');
    await until(system, id, 'done', 'dead', 'gone', 'failed');
  });

  test('a task that was put off is queued with its time, and goes its way from then on', async (t) => {
    const system = await start(t);
    const id = await send(system, {}, { delay: 2 });
    const waiting = await ask(system, id);
    assert.deepEqual([waiting.status, waiting.queued_at], ['queued', undefined]);
    await system.addConsumer();
    const done = await until(system, id, 'done', 'gone', 'dead');
    assert.equal(done.run_at, waiting.run_at);
    assert.ok(Date.parse(done.queued_at ?? '') >= Date.parse(done.run_at ?? ''));
  });

  test('of two groups each has its own status, and a task is done when both are through with it', async (t) => {
    const system = await start(t);
    const gate = join(system.digestDir, 'gate');
    await system.addConsumer();
    const other = createConsumer({
      redisUrl: system.redis.url,
      group: 'others',
      threads: 1,
      handlers: { default: new URL('./status-handler.js', import.meta.url) },
    });
    t.after(() => other.stop());
    // The second group holds the task; the first is through with it.
    const ids = [await send(system, {})];
    await until(system, ids[0] ?? '', 'done');
    await other.start();
    const id = await send(system, { until: gate });
    await until(system, id, 'running');
    const { groups = {} } = await ask(system, id);
    assert.deepEqual(Object.keys(groups).sort(), ['others', 'processors']);
    writeFileSync(gate, '');
    const done = await until(system, id, 'done', 'gone');
    assert.deepEqual(
      Object.values(done.groups ?? {}).map(({ status }) => status),
      ['done', 'done'],
    );
    // The other group has come when the first task was over: it is none of its business.
    assert.equal((await ask(system, ids[0] ?? '')).groups, undefined);
  });

  test('a Redis that is killed and comes back knows what was queued, running and done', async (t) => {
    const system = await start(t, { redis: { persistent: true } });
    const gate = join(system.digestDir, 'gate');
    const early = await send(system);
    const consumer = await system.addConsumer();
    await until(system, early, 'done');
    const running = await send(system, { until: gate });
    await until(system, running, 'running');
    consumer.signal('SIGKILL');
    await consumer.exited;
    const queued = await send(system);
    await system.redis.kill();
    const away = await fetch(`${system.url}/tasks/${queued}`);
    assert.equal(away.status, 503);
    assert.match(await away.text(), /REDIS_UNAVAILABLE.*ask again/);
    await system.redis.restart();
    for (const [id, status] of [
      [early, 'done'],
      [running, 'running'],
      [queued, 'queued'],
    ] as const) {
      assert.equal((await askAgain(system, id)).status, status);
    }
    writeFileSync(gate, '');
    await system.addConsumer();
    await until(system, running, 'done', 'dead', 'gone');
    await until(system, queued, 'done', 'dead', 'gone');
  });
});
