import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumerEvent } from '@sluice/telemetry';
import { limitEvents } from './event-limit.js';

const fenced: ConsumerEvent = { type: 'outcome-fenced', stream: 's', entryId: '1-1' };
const back: ConsumerEvent = { type: 'redis-back', thread: 't' };

test('of very many events about tasks some are told, and how many more there were', () => {
  let now = 0;
  const told: ConsumerEvent[] = [];
  const report = limitEvents(
    (event) => told.push(event),
    () => now,
  );
  for (let i = 0; i < 250; i++) report(fenced);
  assert.equal(told.length, 100);
  now = 1000;
  report(fenced);
  assert.deepEqual(told.slice(100), [{ type: 'events-suppressed', count: 150 }, fenced]);
});

test('a few a second are all told', () => {
  let now = 0;
  const told: ConsumerEvent[] = [];
  const report = limitEvents(
    (event) => told.push(event),
    () => now,
  );
  for (; now < 10_000; now += 20) report(fenced);
  assert.equal(told.length, 500);
});

test('events about anything but single tasks are always told', () => {
  const told: ConsumerEvent[] = [];
  const report = limitEvents(
    (event) => told.push(event),
    () => 0,
  );
  for (let i = 0; i < 500; i++) report(fenced);
  report(back);
  assert.equal(told.at(-1), back);
});
