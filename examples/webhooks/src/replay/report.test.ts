import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatReport, isClean, type ReplayReport } from './report.js';

const clean: ReplayReport = {
  folder: 'sample-bodies',
  url: 'http://localhost:8000',
  bodies: 273,
  times: 50,
  connections: 64,
  sent: 13_650,
  accepted: 13_650,
  refused: {},
  unconfirmed: 0,
  unreachable: 0,
  abandoned: 0,
  done: 13_650,
  dead: 0,
  lost: 0,
  pending: 0,
  duplicates: 0,
  extraRuns: 0,
  unpromised: 0,
  backlog: 0,
  intakeMs: { p50: 1.234, p99: 5, max: 9.999 },
  doneMs: { p50: 3, p99: 12, max: 40 },
  sendSeconds: 2,
  durationSeconds: 2.25,
  lostIds: [],
};
const strict = { dead: false, refused: false };

describe('isClean', () => {
  it('is so only if every task was accepted and worked off', () => {
    assert.equal(isClean(clean, strict), true);
    for (const fault of [{ lost: 1 }, { pending: 1 }, { dead: 1 }, { abandoned: 1 }]) {
      assert.equal(isClean({ ...clean, ...fault }, strict), false, JSON.stringify(fault));
    }
  });

  it('can tolerate dead and refused tasks, but never lost ones', () => {
    const tolerant = { dead: true, refused: true };
    assert.equal(isClean({ ...clean, dead: 1, abandoned: 1 }, tolerant), true);
    assert.equal(isClean({ ...clean, lost: 1 }, tolerant), false);
    assert.equal(isClean({ ...clean, pending: 1 }, tolerant), false);
  });
});

describe('formatReport', () => {
  it('shows every figure of a clean run, and no line for what did not happen', () => {
    const text = formatReport(clean);
    for (const row of [
      /sent +13,650/,
      /accepted +13,650/,
      /refused +0/,
      /unconfirmed +0/,
      /done +13,650/,
      /dead +0/,
      /lost +0/,
      /duplicates +0/,
      /request to 202 +1\.23 +5\.00 +10\.00/,
      /202 to done +3 +12 +40/,
      /6,825 a second/,
    ]) {
      assert.match(text, row);
    }
    assert.doesNotMatch(text, /unreachable|abandoned|queued|without a 202|backlog/);
  });

  it('names refusals by code and lost tasks by id', () => {
    const text = formatReport({
      ...clean,
      refused: { OVERLOADED: 3, INVALID_JSON: 1 },
      lost: 1,
      lostIds: ['x-1'],
    });
    assert.match(text, /refused +4\n +OVERLOADED +3\n +INVALID_JSON +1\n/);
    assert.match(text, /lost: x-1/);
  });
});
