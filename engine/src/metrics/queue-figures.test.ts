import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveConsumers } from './queue-figures.js';

const consumer = (name: string, idle: number, pending = 0) => [
  'name',
  name,
  'pending',
  pending,
  'idle',
  idle,
];

test('a consumer that was killed, and what is parked, count as nobody who works', () => {
  assert.equal(liveConsumers([]), 0);
  assert.equal(liveConsumers([consumer('host:1:0', 900), consumer('host:1:1', 20_000, 3)]), 2);
  assert.equal(liveConsumers([consumer('host:1:0', 61_000, 5), consumer('host:2:0', 900)]), 1);
  assert.equal(liveConsumers([consumer('~parked', 10, 7), consumer('host:1:0', 3_600_000, 2)]), 0);
  // As Redis 7.2 tells it.
  assert.equal(liveConsumers([[...consumer('host:1:0', 10), 'inactive', 3_600_000]]), 1);
});
