import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateCap } from './rate-cap.js';

test('so many a minute are let through, and as many in the next', () => {
  let now = 0;
  const cap = new RateCap(2, () => now);
  const three = () => [cap.take(), cap.take(), cap.take()];
  assert.deepEqual(three(), [true, true, false]);
  now = 59_999;
  assert.equal(cap.take(), false);
  now = 60_000;
  assert.deepEqual(three(), [true, true, false]);
});
