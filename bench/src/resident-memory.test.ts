import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryOf, withResidentMemory } from './resident-memory.js';

test('what a process needs to warm up is no growth, and neither is a peak', () => {
  const warmsUp = [50, 70, 80, 80, 95, 80, 80, 120, 80, 80, 80, 80];
  assert.deepEqual(memoryOf(1, 'process', warmsUp), { pid: 1, role: 'process', most: 120, growth: 0 });
});

test('what is never given back is growth', () => {
  const leaks = Array.from({ length: 40 }, (_, n) => 50 + n);
  assert.equal(memoryOf(1, 'process', leaks).growth, 20);
});

test('looks at a process while work goes on', { skip: process.platform !== 'linux' }, async () => {
  const { result, memory } = await withResidentMemory(process.pid, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1500)); // it looks every second
    return 'done';
  });
  assert.equal(result, 'done');
  const own = memory.find(({ pid }) => pid === process.pid);
  assert.equal(own?.role, 'primary');
  assert.ok(own.most > 10 && own.most < 2000, `${own.most} MiB`);
});
