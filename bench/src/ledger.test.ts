import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOfDrain, faultOfLedger } from './ledger.js';

test('a round adds up when every 202 is in the stream, and at most the cut-off requests besides', () => {
  assert.equal(faultOfLedger({ accepted: 1000, unanswered: 64, entriesAdded: 1000 }), undefined);
  assert.equal(faultOfLedger({ accepted: 1000, unanswered: 64, entriesAdded: 1064 }), undefined);
  assert.equal(faultOfLedger({ accepted: 0, unanswered: 0, entriesAdded: 0 }), undefined);
});

test('a round with a false 202 is worthless, and says how many there were', () => {
  const fault = faultOfLedger({ accepted: 1000, unanswered: 64, entriesAdded: 999 });
  assert.match(fault ?? '', /^1 of 1000 tasks were answered 202 and are not in the stream/);
});

test('a round with entries that nobody can account for is worthless', () => {
  const fault = faultOfLedger({ accepted: 1000, unanswered: 64, entriesAdded: 1065 });
  assert.match(fault ?? '', /^1 entries too many/);
});

test('a queue was drained when every task was run and is done; one may have been run twice', () => {
  assert.equal(faultOfDrain({ prefilled: 1000, done: 1000, dead: 0, runs: 1000 }), undefined);
  assert.equal(faultOfDrain({ prefilled: 1000, done: 1000, dead: 0, runs: 1001 }), undefined);
});

test('a drained queue with a task that is lost, dead or was never run is worthless, and says so', () => {
  const all = { prefilled: 1000, done: 1000, dead: 0, runs: 1000 };
  assert.match(faultOfDrain({ ...all, done: 999 }) ?? '', /^lost 1 of 1000 tasks/);
  assert.match(faultOfDrain({ ...all, done: 999, dead: 1 }) ?? '', /^1 of 1000 tasks failed/);
  assert.match(
    faultOfDrain({ ...all, runs: 999 }) ?? '',
    /^1 of 1000 tasks are done without having been run/,
  );
  assert.match(faultOfDrain({ ...all, done: 1001 }) ?? '', /^1001 tasks are done of 1000/);
});
