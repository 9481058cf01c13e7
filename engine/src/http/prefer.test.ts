import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preferredAck } from './prefer.js';

for (const [header, ack] of [
  ['ack=replicated', 'replicated'],
  ['ack="replicated"', 'replicated'],
  ['Ack = Replicated', 'replicated'],
  ['ACK\t=\t"re\\plicated"', 'replicated'],
  ['respond-async, ack=fsynced;why="a, b; c=d", wait=10', 'fsynced'],
  ['handling=lenient; ack=appended, ack=received', 'received'],
  ['ack=received, ack=replicated', 'received'],
  [', ,ack=x;;; y = "z" ;,', 'x'],
  ['ack', ''],
  ['ack=""', ''],
  ['return=minimal', undefined],
  ['back=x, ack2=y, foo="ack=z"', undefined],
  ['', undefined],
] as const) {
  test(`${header} prefers ${ack ?? 'no level'}`, () => assert.deepEqual(preferredAck(header), { ack }));
}

for (const header of [
  'ack=',
  '=x',
  'ack=a b',
  'ack="a',
  'ack="a"b',
  '"ack"=x',
  'ack=x;y=',
  'ack=x y=z',
  'ack==x',
  'ä=b',
  'ack=x, (',
]) {
  test(`${header} is malformed`, () => assert.equal(preferredAck(header), undefined));
}

test('a header that is long and malformed at its end is read in one go', () => {
  const startedAt = performance.now();
  for (const part of ['; ', ', ', 'a; ', '" " ', 'a=b ; ', '\t \t']) {
    assert.equal(preferredAck(`a${part.repeat(20_000)}(`), undefined);
  }
  // By backtracking it would be hours: no measure of speed.
  assert.ok(performance.now() - startedAt < 30_000);
});
