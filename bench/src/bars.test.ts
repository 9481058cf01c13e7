import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bar, describeBar, isMet } from './bars.js';

function bar(is: Bar['is'], measured: number, limit: number): Bar {
  return { requirement: 'P-1', what: 'tasks/s at 64 connections', measured, limit, is, unit: ' of bare' };
}

test('a bar is met at its limit, unless the figure has to stay below it', () => {
  assert.equal(isMet(bar('at least', 0.5, 0.5)), true);
  assert.equal(isMet(bar('at least', 0.4999, 0.5)), false);
  assert.equal(isMet(bar('at most', 0.2, 0.2)), true);
  assert.equal(isMet(bar('at most', 0.2001, 0.2)), false);
  assert.equal(isMet(bar('below', 1, 1)), false);
  assert.equal(isMet(bar('below', 0.999, 1)), true);
});

test('a figure that could not be measured meets no bar', () => {
  for (const is of ['at least', 'at most', 'below'] as const) {
    assert.equal(isMet(bar(is, Number.NaN, 1)), false);
  }
});

test('says what was asked for and what was measured, and does not hide a miss', () => {
  assert.equal(
    describeBar(bar('at least', 0.66, 0.75)),
    'MISSED  P-1: tasks/s at 64 connections: 0.660 of bare (asked for: at least 0.75 of bare)',
  );
  assert.match(describeBar(bar('at least', 0.8, 0.75)), /^met /);
});
