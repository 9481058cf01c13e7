import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareIds, rangeOf } from './entry-id.js';

const ascending = [
  '0-1',
  '9-5',
  '10-0',
  '99-12',
  '100-1',
  '1700000000000-2',
  '1700000000000-12',
  '1700000000001-0',
];

test('ids are ordered as Redis orders them, by time and then by sequence', () => {
  const shuffled = [...ascending].reverse();
  assert.deepEqual(shuffled.sort(compareIds), ascending);
});

test('an id equals itself', () => {
  for (const id of ascending) assert.equal(compareIds(id, id), 0);
});

test('the range of some ids is its lowest and its highest', () => {
  assert.deepEqual(rangeOf(['100-1', '9-5', '99-12']), { lowest: '9-5', highest: '100-1' });
  assert.deepEqual(rangeOf(['7-0']), { lowest: '7-0', highest: '7-0' });
});
