import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usedPart } from './redis-memory.js';

const INFO =
  '# Memory\r\nused_memory:900\r\nused_memory_human:900B\r\nmem_not_counted_for_evict:100\r\nmaxmemory:1000\r\n';

test('counts what Redis counts before it refuses commands', () => assert.equal(usedPart(INFO), 0.8));

test('without a limit nothing is short', () =>
  assert.equal(usedPart(INFO.replace('maxmemory:1000', 'maxmemory:0')), 0));
