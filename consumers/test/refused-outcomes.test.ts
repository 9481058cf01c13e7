import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp, soon } from './fixture.js';

test('dead letters that Redis refuses are said to be refused, and are written once it takes them', async (t) => {
  const queue = await setUp(t);
  await queue.redis.set(queue.keys.deadLetters, 'of somebody else');
  const { consumer, events } = await queue.consume({ maxAttempts: 1 });
  const refused = () => events.filter((event) => event.type === 'outcomes-refused');
  const dead = await queue.appendScript({ do: 'throw' });
  await soon('the refusal to be said', () => refused().length > 0);
  const [first] = refused();
  assert.equal(first?.stream, 'tasks:stream');
  assert.match(first?.reason ?? '', /^WRONGTYPE /);
  const done = await queue.appendScripts(20);
  await soon('the others to be done', () => consumer.counters.done === done.length);
  await queue.redis.del(queue.keys.deadLetters);
  await queue.drained();
  const letters = await queue.deadLetters();
  assert.deepEqual(
    letters.map((letter) => letter.task_id),
    [dead],
  );
  assert.equal(refused().length, 1);
});

test('what a dead thread held and Redis refuses is said to be refused, too', async (t) => {
  const queue = await setUp(t);
  await queue.redis.set(queue.keys.deadLetters, 'of somebody else');
  const { events } = await queue.consume({ maxAttempts: 1 });
  const dead = await queue.appendScript({ do: 'exit' });
  await soon('the refusal to be said', () => events.some((event) => event.type === 'outcomes-refused'));
  await queue.redis.del(queue.keys.deadLetters);
  await queue.drained();
  assert.deepEqual(
    (await queue.deadLetters()).map((letter) => [letter.task_id, letter.reason]),
    [[dead, 'crashed']],
  );
});
