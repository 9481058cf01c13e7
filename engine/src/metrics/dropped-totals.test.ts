import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DroppedTotals } from './dropped-totals.js';

test('what processes could not deliver is summed, also of those that have ended', () => {
  const totals = new DroppedTotals();
  const [one, other] = [{}, {}];
  totals.report(one, { loki: 1, sentry: 0 });
  totals.report(one, { loki: 2, sentry: 1 });
  totals.report(other, { loki: 10, sentry: 0 });
  totals.end(one);
  totals.end(one);
  assert.deepEqual(totals.sum({ loki: 100, sentry: 5 }), { loki: 112, sentry: 6 });
});
