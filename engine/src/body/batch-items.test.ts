import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonArrayItems } from './json-array-items.js';

const RULES = { maxItems: 10_000, maxItemsName: 'MAX_BATCH_TASKS', maxDepth: 32, wantsPlain: true };

test('says where each item is and whether it is plain, also after its body was copied', () => {
  const items = new JsonArrayItems(Buffer.from('[{"data":1}, {"data":{"__proto__":2}} ,7]'), RULES);
  items.findNext();
  items.keepBody();
  while (!items.isComplete) items.findNext();
  const found = Array.from({ length: items.count }, (_, index) => [
    items.body.toString('utf8', items.startOf(index), items.endOf(index)),
    items.isPlain(index),
  ]);
  assert.deepEqual(found, [
    ['{"data":1}', true],
    ['{"data":{"__proto__":2}}', false],
    ['7', false],
  ]);
});

test('holds no memory for items that a batch may have and has not', () => {
  const body = Buffer.from(`[${'{"data":1},'.repeat(2000)}{"data":1}]`);
  const before = process.memoryUsage().arrayBuffers;
  const batches = Array.from({ length: 100 }, () => new JsonArrayItems(body, RULES));
  for (const items of batches) items.findNext();
  assert.ok(process.memoryUsage().arrayBuffers - before < 100_000);
});
