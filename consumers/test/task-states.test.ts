import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { type Fixture, SHORT_LEASE, setUp, soon } from './fixture.js';
import type { Script } from './handlers/script.js';
import { type State, Trail, transitionsOfDiagram, transitionsOfTable } from './task-states.js';

/** Makes a task go through one transition. Returns the trail it left, which must show it. */
type Walk = (queue: Fixture) => Promise<Trail>;

const ONE_THREAD = { threads: 1 };
/** What it holds can soon be taken over. */
const SHORT_LIVED = { ...ONE_THREAD, ...SHORT_LEASE };
/** Retries do not come back while one looks at them. */
const LONG_BACKOFF = { ...ONE_THREAD, backoffBaseSeconds: 300, backoffMaxSeconds: 300 };
/** Room for a single task: with that one running, whatever is parked stays so. */
const ONE_TASK = { ...SHORT_LIVED, maxConcurrentTasks: 1, shutdownTimeoutSeconds: 0 };

/** Appends a task and follows it. */
async function begin(queue: Fixture, script: Omit<Script, 'journal'> = {}): Promise<Trail> {
  return follow(queue, await queue.appendScript(script));
}

async function follow(queue: Fixture, taskId: string): Promise<Trail> {
  return new Trail(queue, await entryOf(queue, taskId), taskId);
}

async function entryOf(queue: Fixture, taskId: string): Promise<string> {
  const entries = await queue.redis.xrange('tasks:stream', '-', '+');
  return entries.find(([, fields]) => fields.includes(taskId))?.[0] ?? '';
}

/** How often its task was begun. */
const runsOf = (queue: Fixture, { taskId }: Trail) => queue.ids('start').filter((id) => id === taskId).length;

/** Has a process run a task, and kills it while it does. */
async function crash(queue: Fixture, trail: Trail): Promise<void> {
  const before = runsOf(queue, trail);
  const process = await queue.consumeInProcess(SHORT_LIVED);
  await soon('the task to run', () => runsOf(queue, trail) > before);
  await trail.reaches('running');
  process.signal('SIGKILL');
  await process.exited;
}

/** A consumer that takes over what dead ones held, and has no room to run it. It comes before what others are to run. */
async function bystander(queue: Fixture): Promise<void> {
  await queue.consume(ONE_TASK);
  await queue.appendScript({ do: 'never-settle' });
  await queue.until('start', 1);
}

/** Has a task crash twice. */
async function suspect(queue: Fixture): Promise<Trail> {
  await bystander(queue);
  const trail = await begin(queue, { ms: 60_000 });
  await crash(queue, trail);
  await crash(queue, trail);
  await trail.reaches('suspect');
  return trail;
}

/** Has a task run until it is seen to, and then go to its next state. */
async function throughOne(
  queue: Fixture,
  script: Omit<Script, 'journal'>,
  next: State,
  options: object = LONG_BACKOFF,
): Promise<Trail> {
  const trail = await begin(queue, { ...script, held: true });
  await queue.consume(options);
  await trail.reaches('running');
  queue.letGo();
  await trail.reaches(next);
  return trail;
}

const WALKS: Readonly<Record<string, Walk>> = {
  async append(queue) {
    await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0', 'MKSTREAM');
    const trail = new Trail(queue, '1-1');
    await trail.reaches('nowhere');
    await queue.redis.xadd('tasks:stream', '1-1', 'task_id', 'any');
    await trail.reaches('waiting');
    return trail;
  },
  async delay(queue) {
    const taskId = randomUUID();
    const trail = new Trail(queue, taskId);
    await queue.redis.xgroup('CREATE', 'tasks:stream', 'processors', '0', 'MKSTREAM');
    await trail.reaches('nowhere');
    await queue.schedule(taskId, 60_000);
    await trail.reaches('scheduled');
    return trail;
  },
  async promote(queue) {
    // With room for one task, which never ends, the promoted one is seen in the stream.
    await bystander(queue);
    const [taskId = ''] = await queue.scheduleScripts([2000]);
    const trail = new Trail(queue, taskId);
    await trail.reaches('scheduled');
    await trail.reaches('waiting');
    return trail;
  },
  async read(queue) {
    const trail = await begin(queue, { held: true });
    await trail.reaches('waiting');
    await queue.consume(ONE_THREAD);
    await trail.reaches('running');
    queue.letGo();
    return trail;
  },
  resolve: (queue) => throughOne(queue, {}, 'done'),
  fail: (queue) => throughOne(queue, { do: 'throw' }, 'parked'),
  async blame(queue) {
    const trail = await begin(queue, { do: 'block' });
    await queue.consume({ ...LONG_BACKOFF, taskTimeoutSeconds: 0.3 });
    await trail.reaches('running');
    await trail.reaches('parked');
    return trail;
  },
  async excuse(queue) {
    const trail = await begin(queue, { ms: 60_000 });
    await queue.consume({ ...LONG_BACKOFF, taskTimeoutSeconds: 30, shutdownTimeoutSeconds: 0 });
    await queue.until('start', 1);
    await trail.reaches('running');
    await queue.appendScript({ do: 'exit' });
    await trail.reaches('parked');
    assert.equal((await queue.ledger()).interrupted, 1);
    return trail;
  },
  async pardon(queue) {
    const options = { ...LONG_BACKOFF, maxAttempts: 1, breaker: true, breakerMinimumFailures: 1 };
    const trail = await throughOne(queue, { do: 'throw' }, 'parked', options);
    assert.deepEqual(await queue.ledger(), { retried: 1, excused: 1 });
    return trail;
  },
  async 'give back'(queue) {
    await queue.consume({ ...LONG_BACKOFF, taskTimeoutSeconds: 0.3 });
    // A thread reads more at once after it has seen that tasks are quick.
    await queue.appendScripts(500);
    await queue.until('end', 500);
    await queue.drained();
    const [, behind = ''] = await queue.appendTogether([{ do: 'block' }, { ms: 60_000 }]);
    const trail = await follow(queue, behind);
    await trail.reaches('running');
    await trail.reaches('parked');
    assert.equal(queue.ids('start').includes(behind), false, 'it never started');
    return trail;
  },
  async 'cut off'(queue) {
    const trail = await begin(queue, { ms: 60_000 });
    const { consumer } = await queue.consume({ ...ONE_THREAD, shutdownTimeoutSeconds: 0.1 });
    await queue.until('start', 1);
    await trail.reaches('running');
    await consumer.stop();
    await trail.reaches('parked');
    assert.equal((await queue.ledger()).interrupted, 1);
    return trail;
  },
  async 'take over'(queue) {
    await bystander(queue);
    const trail = await begin(queue, { ms: 60_000 });
    await crash(queue, trail);
    await trail.reaches('parked');
    assert.equal((await queue.ledger()).taken_over, 1);
    return trail;
  },
  'crash again': suspect,
  async exhaust(queue) {
    const options = { ...LONG_BACKOFF, maxAttempts: 1 };
    const trail = await throughOne(queue, { do: 'throw' }, 'dead', options);
    assert.equal((await queue.deadLetters())[0]?.reason, 'attempts-exhausted');
    return trail;
  },
  async refuse(queue) {
    const trail = await throughOne(queue, { do: 'throw-unrecoverable' }, 'dead');
    assert.equal((await queue.deadLetters())[0]?.reason, 'unrecoverable');
    return trail;
  },
  async poison(queue) {
    // Two tasks that arrive together: the first keeps the thread busy, so that the second is seen in its hands.
    // It is given back unseen if the machine stands still beyond the lease.
    await queue.consume({ ...LONG_BACKOFF, leaseSeconds: 300 });
    await queue.appendScripts(500);
    await queue.until('end', 500);
    await queue.drained();
    const [, poison = ''] = await queue.appendTogether([{ do: 'spin', ms: 2000 }, 'unknown']);
    const trail = await follow(queue, poison);
    await trail.reaches('running');
    await trail.reaches('dead');
    assert.equal((await queue.deadLetters())[0]?.reason, 'unknown-type');
    return trail;
  },
  async 'give up unseen'(queue) {
    const trail = await suspect(queue);
    await queue.consume({ ...LONG_BACKOFF, maxCrashes: 2 });
    await trail.reaches('dead');
    assert.equal((await queue.deadLetters())[0]?.reason, 'crashed');
    assert.equal(runsOf(queue, trail), 2);
    // Handed out and buried in one breath: whether one looks just then is chance.
    trail.states.splice(trail.states.lastIndexOf('suspect') + 1, Infinity, 'dead');
    return trail;
  },
  async fence(queue) {
    const trail = await begin(queue, { held: true });
    const frozen = await queue.consumeInProcess(SHORT_LIVED);
    await trail.reaches('running');
    await queue.until('start', 1);
    frozen.signal('SIGSTOP');
    await queue.consume({ ...SHORT_LIVED, shutdownTimeoutSeconds: 0 });
    await queue.until('start', 2);
    await trail.reaches('running');
    queue.letGo(1); // and not the second attempt, which runs on
    frozen.signal('SIGCONT');
    await waitFor(() => frozen.output().includes('outcome-fenced'), { timeoutMs: 60_000, what: 'the fence' });
    trail.states.push('running');
    await trail.reaches('running');
    assert.equal((await queue.ledger()).done, undefined);
    return trail;
  },
  async 'come due'(queue) {
    const options = { ...ONE_THREAD, backoffBaseSeconds: 2 };
    const trail = await throughOne(queue, { do: 'throw' }, 'parked', options);
    await trail.reaches('running');
    queue.letGo(2);
    return trail;
  },
  async 'run alone'(queue) {
    const trail = await suspect(queue);
    await queue.consume({ ...ONE_THREAD, shutdownTimeoutSeconds: 0 });
    await trail.reaches('running');
    return trail;
  },
  async vanish(queue) {
    const taskId = await queue.appendScript({ ms: 60_000 });
    const entryId = await entryOf(queue, taskId);
    const trail = new Trail(queue, entryId);
    await queue.consume({ ...ONE_THREAD, shutdownTimeoutSeconds: 0 });
    await trail.reaches('running');
    await queue.redis.xdel('tasks:stream', entryId);
    await trail.reaches('lost');
    return trail;
  },
  async 'vanish parked'(queue) {
    const taskId = await queue.appendScript({ do: 'throw' });
    const entryId = await entryOf(queue, taskId);
    const trail = new Trail(queue, entryId);
    await queue.consume({ ...ONE_THREAD, backoffBaseSeconds: 1 });
    await trail.reaches('parked');
    await queue.redis.xdel('tasks:stream', entryId);
    await trail.reaches('lost');
    return trail;
  },
};

test('the diagram and the table of docs/task-states.md show the same transitions', () => {
  const key = ({ name, from, to }: { name: string; from: string; to: string }) => `${name}: ${from} -> ${to}`;
  assert.deepEqual(transitionsOfDiagram().map(key).sort(), transitionsOfTable().map(key).sort());
});

test('every transition of docs/task-states.md is walked, and no other', () => {
  assert.deepEqual(
    transitionsOfTable()
      .map(({ name }) => name)
      .sort(),
    Object.keys(WALKS).sort(),
  );
});

// Most wait for leases, each on a Redis of its own.
describe('walked on Redis', { concurrency: 3 }, () => {
  for (const { name, from, to } of transitionsOfTable()) {
    test(`${name}: from ${from} to ${to}`, async (t) => {
      const walk = WALKS[name];
      assert.ok(walk, 'there is no walk for it');
      const { states } = await walk(await setUp(t));
      const seen = states.some((state, i) => state === from && states[i + 1] === to);
      assert.ok(seen, `the task was seen ${states.join(', ')}`);
    });
  }
});
