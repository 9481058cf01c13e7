import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOfLedger } from './ledger.js';

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
