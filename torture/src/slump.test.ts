import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestSlump } from './slump.js';

const STEADY = Array.from({ length: 100 }, (_, i) => i * 100); // ten a second for ten seconds

test('no slump when tasks end as they come', () => {
  assert.equal(longestSlump(STEADY, STEADY), 0);
});

test('a second without ends is a slump of about a second, wherever they went', () => {
  const ends = STEADY.map((at) => (at >= 4000 && at < 5000 ? 5000 : at));
  const slump = longestSlump(STEADY, ends);
  assert.ok(slump >= 750 && slump <= 1250, `${slump} ms`);
});
