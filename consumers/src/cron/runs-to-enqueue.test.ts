import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runTimesOf } from './run-times.js';
import { runsToEnqueue } from './runs-to-enqueue.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const everySecond = runTimesOf('* * * * * *', 'UTC');
const hourly = runTimesOf('0 * * * *', 'UTC');
const T = Date.parse('2026-01-01T12:00:00Z');

describe('the runs to enqueue', () => {
  it('are none before the next one', () => {
    assert.deepEqual(runsToEnqueue(hourly, T, T + HOUR - 1, HOUR), { runs: [], missed: undefined });
    assert.deepEqual(runsToEnqueue(hourly, T + 5, T + 10, HOUR), { runs: [], missed: undefined });
  });

  it('are the one that is due', () => {
    assert.deepEqual(runsToEnqueue(hourly, T, T + HOUR, HOUR), { runs: [T + HOUR], missed: undefined });
    assert.deepEqual(runsToEnqueue(hourly, T, T + HOUR + 59_000, 0), { runs: [T + HOUR], missed: undefined });
  });

  it('are all of the last minute', () => {
    const runs = Array.from({ length: 20 }, (_, i) => T + 1000 * (i + 1));
    assert.deepEqual(runsToEnqueue(everySecond, T, T + 20_999, 0), { runs, missed: undefined });
  });

  it('are those of the last minute only, and the last one that is left out is named', () => {
    const { runs, missed } = runsToEnqueue(everySecond, T, T + HOUR, HOUR);
    assert.equal(runs.length, 60);
    assert.deepEqual([runs[0], runs.at(-1)], [T + HOUR - MINUTE + 1000, T + HOUR]);
    assert.equal(missed, T + HOUR - MINUTE);
  });

  it('is the latest of those missed for longer, within the grace', () => {
    const now = T + 3 * HOUR + 10 * MINUTE;
    assert.deepEqual(runsToEnqueue(hourly, T, now, 10 * MINUTE), {
      runs: [T + 3 * HOUR],
      missed: T + 2 * HOUR,
    });
    assert.deepEqual(runsToEnqueue(hourly, T + 2 * HOUR, now, HOUR), {
      runs: [T + 3 * HOUR],
      missed: undefined,
    });
  });

  it('is none of those older than the grace', () => {
    const now = T + 3 * HOUR + 10 * MINUTE;
    assert.deepEqual(runsToEnqueue(hourly, T, now, 10 * MINUTE - 1), { runs: [], missed: T + 3 * HOUR });
  });
});
