import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ConsumerEvent } from '@sluice/telemetry';
import { defineHandler } from '../handlers/handler.js';
import { createTestQueue } from './create-test-queue.js';

async function queueOf(run: (data: unknown) => unknown, options = {}) {
  const events: ConsumerEvent[] = [];
  const handlers = [defineHandler('default', (task) => run(task.data))];
  const queue = await createTestQueue({ handlers, listener: (event) => events.push(event), ...options });
  return { queue, events, types: () => events.map(({ type }) => type) };
}

describe('the faults of a test queue', () => {
  it('let a thread die of a task that nobody can tell from its neighbours: none loses an attempt', async () => {
    const { queue, types } = await queueOf(() => turn());
    // One by one a thread finds out that tasks are quick, and then takes several at once.
    for (let i = 0; i < 10; i++) queue.add('default', i);
    await queue.drain();
    const tasks = [queue.add('default', 'culprit'), queue.add('default', 'neighbour')];
    for (const task of tasks.slice(0, 1)) queue.faults.crash(task, { when: 'running' });
    await queue.drain();
    assert.deepEqual(
      tasks.map(({ state }) => state),
      ['done', 'done'],
    );
    assert.equal(queue.ledger.retried, undefined);
    assert.equal(queue.ledger.interrupted, 2);
    assert.deepEqual(types(), ['thread-replaced']);
  });

  it('let suspects run alone, and show them as such', async () => {
    let running = 0;
    let most = 0;
    const { queue } = await queueOf(
      async () => {
        running += 1;
        most = Math.max(most, running);
        for (let i = 0; i < 5; i++) await turn();
        running -= 1;
      },
      { maxCrashes: 5 },
    );
    for (let i = 0; i < 10; i++) queue.add('default', i);
    await queue.drain();
    const tasks = [queue.add('default', 'a'), queue.add('default', 'b')];
    for (const task of tasks) queue.faults.crash(task, { of: 'process', when: 'running', times: 2 });
    await queue.runDue();
    await queue.advance(30_000);
    assert.deepEqual(
      tasks.map(({ state }) => state),
      ['running', 'running'],
    );
    running = 0;
    most = 0;
    await queue.drain();
    assert.equal(most, 1);
    assert.deepEqual(
      tasks.map(({ state, crashes }) => [state, crashes]),
      [
        ['done', 2],
        ['done', 2],
      ],
    );
    assert.equal(queue.ledger.taken_over, 4);
  });

  it('let Redis refuse dead letters: they are written once, later', async () => {
    const { queue } = await queueOf(() => Promise.reject(new Error('no')), { maxAttempts: 1 });
    const task = queue.add('default', 1);
    queue.faults.refuseWrites(3);
    await queue.drain();
    assert.equal(task.attempts, 1);
    assert.equal(queue.deadLetters.length, 1);
    assert.equal(queue.now - task.addedAt, 600);
  });

  it('tell the outcome of a lost reply from one that was fenced off', async () => {
    const { queue, types } = await queueOf(() => undefined);
    const task = queue.add('default', 1);
    queue.faults.loseReplies();
    await queue.drain();
    assert.equal(task.runs[0]?.fenced, false);
    assert.deepEqual(types(), []);
    assert.deepEqual(queue.ledger, { done: 1 });
  });

  it('are refused when they mean nothing', async () => {
    const { queue } = await queueOf(() => undefined);
    const task = queue.add('default', 1);
    assert.throws(() => queue.faults.crash(task, { times: 0 }), { code: 'INVALID_OPTIONS' });
    assert.throws(() => queue.faults.loseReplies(-1), { code: 'INVALID_OPTIONS' });
    assert.throws(() => queue.faults.refuseWrites(0.5), { code: 'INVALID_OPTIONS' });
  });
});
