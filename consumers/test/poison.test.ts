import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './fixture.js';

test('poison of every kind becomes a dead letter with the reason, and stops nothing', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  const typed = (data: unknown) => ({ type: 'measured', payload: JSON.stringify({ data }) });
  const kinds: [reason: string, fields: Record<string, string>][] = [
    ['undecodable', { payload: '{"data":' }],
    ['undecodable', { payload: '' }],
    ['undecodable', { payload: '[]' }],
    ['undecodable', { payload: '{"metadata":{}}' }],
    ['undecodable', { content_type: 'text/html' }],
    ['undecodable', { content_type: 'application/msgpack' }],
    ['missing-field', { task_id: '' }],
    ['missing-field', { type: '' }],
    ['unknown-type', { type: 'nobody-knows' }],
    ['schema-mismatch', typed({ journal: 'x', width: 'wide' })],
    ['schema-mismatch', typed({ width: 1 })],
    ['schema-mismatch', typed(null)],
  ];
  for (const [, fields] of kinds) await queue.append({}, fields);
  const good = await queue.appendScripts(20);
  await queue.drained();
  const letters = await queue.deadLetters();
  assert.deepEqual(letters.map((letter) => letter.reason).sort(), kinds.map(([reason]) => reason).sort());
  for (const letter of letters) {
    assert.equal(letter.attempts, '0');
    assert.notEqual(letter.error_message, '');
  }
  assert.deepEqual(queue.ids('end').sort(), good.sort());
  assert.deepEqual(await queue.ledger(), { dead: kinds.length, done: 20 });
});

test('entries that hold nothing of a task are poison too, and kept as they are', async (t) => {
  const queue = await setUp(t);
  await queue.consume();
  await queue.redis.xadd('tasks:stream', '*', 'hello', 'world');
  const wide = Array.from({ length: 3000 }, (_, i) => [`field-${i}`, 'x']).flat();
  await queue.redis.xadd('tasks:stream', '*', ...wide);
  await queue.redis.xadd('tasks:stream', '*', 'payload', Buffer.from([0xff, 0x00, 0xfe]));
  await queue.drained();
  const letters = await queue.deadLetters();
  assert.deepEqual(
    letters.map((letter) => letter.reason),
    ['missing-field', 'missing-field', 'missing-field'],
  );
  assert.ok(letters.some((letter) => letter.hello === 'world'));
  const raw = await queue.redis.xrangeBuffer('tasks:dlq', '-', '+');
  const bytes = raw
    .flatMap(([, fields]) => fields)
    .filter((value) => value.equals(Buffer.from([0xff, 0x00, 0xfe])));
  assert.equal(bytes.length, 1, 'binary values are kept byte for byte');
});
