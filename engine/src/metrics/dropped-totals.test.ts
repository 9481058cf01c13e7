import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DroppedTotals, type ProcessDropped } from './dropped-totals.js';

/** The sum after two processes have reported, one of them twice, and that one has ended. */
function sumOf(totals: DroppedTotals): ProcessDropped {
  const [one, other] = [{}, {}];
  totals.report(one, { loki: 1, sentry: 0 });
  totals.report(one, { loki: 2, sentry: 1 });
  totals.report(other, { loki: 10, sentry: 0 });
  totals.end(one);
  totals.end(one);
  return totals.sum({ loki: 100, sentry: 5 });
}

/** What is due: each process once, with its last report. */
const DUE: ProcessDropped = { loki: 112, sentry: 6 };

/** Forgets what a process had dropped that has ended. */
class ForgettingTotals extends DroppedTotals {
  override end(from: object): void {
    this.report(from, { loki: 0, sentry: 0 });
  }
}

/** Takes each report for that of another process. */
class DoublingTotals extends DroppedTotals {
  override report(_from: object, dropped: ProcessDropped): void {
    super.report({}, dropped);
  }
}

/** Leaves out what the primary itself could not deliver. */
class OthersTotals extends DroppedTotals {
  override sum(): ProcessDropped {
    return super.sum({ loki: 0, sentry: 0 });
  }
}

test('what processes could not deliver is summed, also of those that have ended', () => {
  assert.deepEqual(sumOf(new DroppedTotals()), DUE);
});

test('totals that forget, double or leave out what was dropped are found out', () => {
  for (const Broken of [ForgettingTotals, DoublingTotals, OthersTotals]) {
    assert.notDeepEqual(sumOf(new Broken()), DUE, Broken.name);
  }
});
