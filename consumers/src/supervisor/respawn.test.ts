import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RespawnPolicy } from './respawn.js';

test('waits longer with every death, within a bound', () => {
  const policy = new RespawnPolicy();
  const delays = Array.from({ length: 10 }, () => policy.afterDeath({ livedMs: 100, held: 3 }));
  assert.deepEqual(delays.slice(0, 4), [50, 100, 200, 400]);
  assert.equal(delays.at(-1), 2000);
});

test('tasks that bring threads down never make it give up', () => {
  const policy = new RespawnPolicy();
  for (let i = 0; i < 1000; i++) assert.notEqual(policy.afterDeath({ livedMs: 10, held: 1 }), undefined);
});

test('gives up when threads die again and again with nothing in hand', () => {
  const policy = new RespawnPolicy();
  const delays = Array.from({ length: 5 }, () => policy.afterDeath({ livedMs: 10, held: 0 }));
  assert.deepEqual(
    delays.map((delay) => delay === undefined),
    [false, false, false, false, true],
  );
});

test('a thread that lived long makes up for those before it', () => {
  const policy = new RespawnPolicy();
  for (let i = 0; i < 4; i++) policy.afterDeath({ livedMs: 10, held: 0 });
  assert.equal(policy.afterDeath({ livedMs: 60_000, held: 0 }), 50);
});
