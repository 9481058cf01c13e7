import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TASK_ID_LENGTH, writeTaskId } from './task-id.js';

function newTaskId(): string {
  const bytes = Buffer.alloc(TASK_ID_LENGTH + 2, '?');
  writeTaskId(bytes, 1);
  assert.equal(bytes.at(0), bytes.at(-1)); // nothing before it or behind it is touched
  return bytes.toString('latin1', 1, TASK_ID_LENGTH + 1);
}

test('every task id is a random UUID of version 4, and no two are the same, also past the end of the pool', () => {
  const made = Array.from({ length: 2000 }, newTaskId);
  for (const id of made)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(made).size, made.length);
});

test('every digit of a task id that is not fixed takes every value', () => {
  const seen = Array.from({ length: 36 }, () => new Set<string>());
  for (let i = 0; i < 5000; i++) {
    for (const [at, digit] of [...newTaskId()].entries()) seen[at]?.add(digit);
  }
  const counts = seen.map((values) => values.size);
  const free = (length: number) => Array.from({ length }, () => 16);
  assert.deepEqual(counts, [...free(8), 1, ...free(4), 1, 1, ...free(3), 1, 4, ...free(3), 1, ...free(12)]);
});
