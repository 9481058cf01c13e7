import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumerEvent } from '@sluice/telemetry';
import { RefusedOutcomes } from './refused-outcomes.js';

function refusal(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

test('a refusal is said once a minute for each stream and code, and what is no refusal is not', () => {
  const events: ConsumerEvent[] = [];
  let now = 0;
  const refused = new RefusedOutcomes(
    (event) => events.push(event),
    () => now,
  );
  const said = () => events.splice(0).map((event) => ('reason' in event ? event.reason : event.type));
  refused.note('a', refusal('OOM command not allowed'));
  refused.note('a', refusal('OOM command not allowed'));
  refused.note('b', refusal('OOM command not allowed'));
  refused.note('a', refusal('WRONGTYPE of a key'));
  assert.deepEqual(said(), ['OOM command not allowed', 'OOM command not allowed', 'WRONGTYPE of a key']);
  refused.note('a', new Error('Connection is closed.'));
  refused.note('a', refusal('NOGROUP No such key'));
  now = 59_999;
  refused.note('a', refusal('OOM command not allowed'));
  assert.deepEqual(said(), []);
  now = 60_000;
  refused.note('a', refusal('OOM command not allowed'));
  assert.deepEqual(said(), ['OOM command not allowed']);
});
