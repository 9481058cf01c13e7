import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ledger } from './ledger.js';

describe('Ledger', () => {
  it('adds up: accepted is done, dead and outstanding', () => {
    const ledger = new Ledger();
    for (const id of ['a', 'b', 'c']) ledger.accept(id, 1, 1_000);
    ledger.ran('a', 1_005);
    ledger.died('b');
    assert.equal(ledger.accepted, 3);
    assert.deepEqual(ledger.outstandingIds(), ['c']);
    assert.equal(ledger.outstanding, 1);
    assert.deepEqual(ledger.totals(), { done: 1, dead: 1, duplicates: 0, extraRuns: 0, unpromised: 0 });
  });

  it('knows a task by its id when the run was seen before the 202', () => {
    const ledger = new Ledger();
    ledger.ran('a', 1_000);
    assert.equal(ledger.totals().unpromised, 1);
    ledger.accept('a', 1, 1_000.5);
    assert.equal(ledger.outstanding, 0);
    assert.deepEqual(ledger.totals(), { done: 1, dead: 0, duplicates: 0, extraRuns: 0, unpromised: 0 });
    assert.equal(ledger.doneLatency().max, 0);
  });

  it('counts a task that ran three times once as duplicate, with two runs too many', () => {
    const ledger = new Ledger();
    ledger.accept('a', 1, 1_000);
    for (const at of [1_001, 1_002, 1_003]) ledger.ran('a', at);
    assert.equal(ledger.outstanding, 0);
    assert.deepEqual(ledger.totals(), { done: 1, dead: 0, duplicates: 1, extraRuns: 2, unpromised: 0 });
  });

  it('counts a task that ran and is dead all the same as dead, and settles it once', () => {
    const ledger = new Ledger();
    ledger.accept('a', 1, 1_000);
    ledger.ran('a', 1_001);
    ledger.died('a');
    assert.equal(ledger.outstanding, 0);
    assert.deepEqual(ledger.totals(), { done: 0, dead: 1, duplicates: 0, extraRuns: 0, unpromised: 0 });
  });

  it('keeps runs without a 202 apart from what was promised', () => {
    const ledger = new Ledger();
    ledger.ran('ghost', 1_000);
    ledger.ran('ghost', 1_001);
    assert.deepEqual(ledger.totals(), { done: 0, dead: 0, duplicates: 1, extraRuns: 1, unpromised: 1 });
  });

  it('gives latencies in milliseconds, from the 202 to the first run', () => {
    const ledger = new Ledger();
    for (let i = 1; i <= 100; i += 1) {
      ledger.accept(`t${i}`, i / 10, 5_000.9);
      ledger.ran(`t${i}`, 5_000 + i);
      ledger.ran(`t${i}`, 9_000);
    }
    const { p50, p99, max } = ledger.intakeLatency();
    assert.ok(Math.abs(p50 - 5) < 0.05 && Math.abs(p99 - 9.9) < 0.05 && Math.abs(max - 10) < 0.05);
    assert.ok(Math.abs(ledger.doneLatency().p50 - 50) < 0.5);
    assert.ok(Math.abs(ledger.doneLatency().max - 100) < 0.5);
  });
});
