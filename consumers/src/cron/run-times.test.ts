import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runTimesOf } from './run-times.js';

const ms = (text: string) => Date.parse(text);
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());

function nextRuns(pattern: string, timeZone: string, from: string, count: number): (string | undefined)[] {
  const times = runTimesOf(pattern, timeZone);
  const runs: (string | undefined)[] = [];
  for (let at: number | undefined = ms(from); runs.length < count && at !== undefined; ) {
    at = times.next(at);
    runs.push(iso(at));
  }
  return runs;
}

describe('the run times of a pattern', () => {
  it('come after the moment that is asked about, and not at it', () => {
    assert.deepEqual(nextRuns('*/2 * * * * *', 'UTC', '2026-01-01T00:00:00Z', 2), [
      '2026-01-01T00:00:02.000Z',
      '2026-01-01T00:00:04.000Z',
    ]);
    assert.deepEqual(nextRuns('0 9 * * MON-FRI', 'UTC', '2026-01-02T08:59:59.999Z', 2), [
      '2026-01-02T09:00:00.000Z',
      '2026-01-05T09:00:00.000Z',
    ]);
  });

  it('know the last run at a moment, that moment included', () => {
    const times = runTimesOf('*/10 * * * *', 'UTC');
    assert.equal(iso(times.latest(ms('2026-01-01T00:10:00Z'))), '2026-01-01T00:10:00.000Z');
    assert.equal(iso(times.latest(ms('2026-01-01T00:09:59.999Z'))), '2026-01-01T00:00:00.000Z');
  });

  it('are those of the zone, in summer and in winter, and of a skipped or repeated hour there is one', () => {
    assert.deepEqual(nextRuns('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 3), [
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z', // there is no half past two
      '2026-03-30T00:30:00.000Z',
    ]);
    assert.deepEqual(nextRuns('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
      '2026-10-25T00:30:00.000Z', // the first of two
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  it('end', () => {
    const times = runTimesOf('0 0 0 1 1 * 2026', 'UTC');
    assert.equal(times.next(ms('2026-01-01T00:00:00Z')), undefined);
    assert.equal(times.latest(ms('2025-01-01T00:00:00Z')), undefined);
  });

  for (const [pattern, says] of [
    ['* * *', /five, six, or seven/],
    ['60 * * * *', /minute/],
    ['? * * * *', /time of the start/],
    ['2026-01-01T00:00:00', /single point/],
    ['@reboot', /not supported/],
  ] as const) {
    it(`are none for ${pattern}`, () => assert.throws(() => runTimesOf(pattern, 'UTC'), says));
  }
});
