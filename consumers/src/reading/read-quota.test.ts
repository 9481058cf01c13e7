import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadQuota } from './read-quota.js';

test('grows while tasks are quick, up to the batch size', () => {
  const quota = new ReadQuota(100);
  assert.ok(quota.current < 100);
  for (let i = 0; i < 10; i++) quota.observe(quota.current, 0.1);
  assert.equal(quota.current, 100);
});

test('drops to one when every task keeps the thread busy for long', () => {
  const quota = new ReadQuota(100);
  quota.observe(1, 2000);
  assert.equal(quota.current, 1);
});

test('settles at what fits the budget of 50 ms', () => {
  const quota = new ReadQuota(100);
  for (let i = 0; i < 10; i++) quota.observe(10, 50);
  assert.equal(quota.current, 10);
});

test('never exceeds a small batch size, and nothing started changes nothing', () => {
  const quota = new ReadQuota(5);
  for (let i = 0; i < 10; i++) quota.observe(5, 0);
  quota.observe(0, 1000);
  assert.equal(quota.current, 5);
});
