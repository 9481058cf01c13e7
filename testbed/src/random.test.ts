import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickFrom, seededRandom } from './random.js';

test('the same seed gives the same numbers, another seed others', () => {
  const numbers = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
  assert.deepEqual(numbers(7), numbers(7));
  assert.notDeepEqual(numbers(7), numbers(8));
});

test('each of a few is picked about equally often', () => {
  const random = seededRandom(1);
  const counts = new Map<string, number>();
  for (let i = 0; i < 9000; i++) {
    const one = pickFrom(['a', 'b', 'c'], random) ?? 'none';
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ['a', 'b', 'c']);
  for (const count of counts.values()) assert.ok(count > 2700 && count < 3300);
});
