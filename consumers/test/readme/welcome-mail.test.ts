import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestQueue } from '@sluice/consumers/testing';
import { welcomeMail } from './tasks.js';

const handlers = { 'welcome-mail': new URL('./handlers/welcome-mail.js', import.meta.url) };
const ada = { to: 'ada@mail.example', name: 'Ada' };

test('a mail that is put off is sent a minute later', async (t) => {
  const answers = [429, 200];
  t.mock.method(globalThis, 'fetch', async () => new Response(null, { status: answers.shift() ?? 500 }));
  const queue = await createTestQueue({ handlers });
  const task = queue.add(welcomeMail, ada);
  await queue.drain(); // the minute is virtual
  assert.equal(task.state, 'done');
  assert.deepEqual(
    task.runs.map((run) => run.startedAt - task.addedAt),
    [0, 60_000],
  );
});

test('a mail to nobody is a dead letter', async (t) => {
  t.mock.method(globalThis, 'fetch', async () => new Response(null, { status: 400 }));
  const queue = await createTestQueue({ handlers });
  const task = queue.add(welcomeMail, ada);
  await queue.drain();
  assert.equal(task.deadLetter?.error_message, 'the address does not exist');
});

test('a mail is sent twice when the process dies before Redis has heard of it', async (t) => {
  const send = t.mock.method(globalThis, 'fetch', async () => new Response());
  const queue = await createTestQueue({ handlers });
  const task = queue.add(welcomeMail, ada);
  queue.faults.crash(task, { of: 'process', when: 'settling' });
  await queue.drain();
  assert.equal(send.mock.callCount(), 2); // at least once: is that all right with this handler?
});
