import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WordCopier } from './word-copier.js';

const FROM = Uint8Array.from({ length: 200 }, (_, i) => 255 - i);

test('copies so many bytes, and touches no others, from and to any place', () => {
  const copier = new WordCopier();
  for (let length = 4; length <= 60; length++) {
    for (const [start, at] of [
      [0, 0],
      [1, 3],
      [91, 17],
      [200 - length, 90 - length],
    ] as const) {
      const to = new Uint8Array(90);
      copier.copy(FROM, start, length, to, at);
      const expected = new Uint8Array(90);
      expected.set(FROM.subarray(start, start + length), at);
      assert.deepEqual(to, expected, `${length} bytes from ${start} to ${at}`);
    }
  }
});

test('goes on with other arrays, which may be parts of larger ones', () => {
  const copier = new WordCopier();
  const whole = new Uint8Array(40);
  copier.copy(FROM.subarray(100), 5, 9, whole.subarray(20), 1);
  copier.copy(FROM, 0, 4, whole, 0);
  assert.deepEqual([...whole.subarray(21, 30)], [...FROM.subarray(105, 114)]);
  assert.deepEqual([...whole.subarray(0, 5)], [255, 254, 253, 252, 0]);
});

test('never leaves its arrays', () => {
  const copier = new WordCopier();
  assert.throws(() => copier.copy(FROM, 190, 11, new Uint8Array(20), 0), RangeError);
  assert.throws(() => copier.copy(FROM, 0, 11, new Uint8Array(20), 10), RangeError);
});
