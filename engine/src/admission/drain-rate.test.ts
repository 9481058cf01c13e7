import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DrainRate } from './drain-rate.js';

/** Looks ten times a second for so many seconds; returns how many have left. */
function look(
  rate: DrainRate,
  from: { at: number; left: number },
  seconds: number,
  perSecond: number,
  backlog: number,
) {
  for (let i = 0; i < seconds * 10; i++) {
    from.at += 100;
    from.left += perSecond / 10;
    rate.observe(from.left, backlog, from.at);
  }
}

test('is the number of tasks that leave a backlog in a second', () => {
  const rate = new DrainRate();
  look(rate, { at: 0, left: 0 }, 30, 500, 1000);
  assert.ok(Math.abs((rate.perSecond ?? 0) - 500) < 1, String(rate.perSecond));
});

test('is not known while there is too little to do, whatever arrives and leaves', () => {
  const rate = new DrainRate();
  look(rate, { at: 0, left: 0 }, 30, 5, 3);
  assert.equal(rate.perSecond, undefined);
});

test('is not known before anything has left', () => {
  const rate = new DrainRate();
  look(rate, { at: 0, left: 0 }, 30, 0, 1000);
  assert.equal(rate.perSecond, undefined);
});

test('keeps what it was while there is nothing to do', () => {
  const rate = new DrainRate();
  const state = { at: 0, left: 0 };
  look(rate, state, 30, 500, 1000);
  look(rate, state, 600, 2, 0);
  assert.ok(Math.abs((rate.perSecond ?? 0) - 500) < 1, String(rate.perSecond));
});

test('falls when consumers stand still, to a third in ten seconds, and comes back with them', () => {
  const rate = new DrainRate();
  const state = { at: 0, left: 0 };
  look(rate, state, 60, 600, 1000);
  look(rate, state, 10, 0, 1000);
  assert.ok((rate.perSecond ?? 0) > 200 && (rate.perSecond ?? 0) < 240, String(rate.perSecond));
  look(rate, state, 60, 600, 1000);
  assert.ok(Math.abs((rate.perSecond ?? 0) - 600) < 5, String(rate.perSecond));
});

test('a stream that begins anew, after FLUSHALL for instance, does not count backwards', () => {
  const rate = new DrainRate();
  const state = { at: 0, left: 0 };
  look(rate, state, 30, 500, 1000);
  state.left = 0;
  look(rate, state, 30, 500, 1000);
  assert.ok(Math.abs((rate.perSecond ?? 0) - 500) < 10, String(rate.perSecond));
});
