import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dueOf, faultsOfTiming } from './due.js';

const YEAR_S = 31_536_000;
const BAD_DELAY = { path: '/delay', reason: `must be a number of seconds from 0 to ${YEAR_S}` };
const BAD_TIME = {
  path: '/run_at',
  reason: 'must be a date and time with its zone (RFC 3339), such as 2030-01-31T09:00:00+01:00',
};

describe('when a task is due', () => {
  it('is at once without a delay, and with one of 0', () => {
    for (const timing of [{}, { delay: 0 }, { delay: undefined, run_at: undefined }]) {
      assert.equal(dueOf(timing), undefined);
      assert.deepEqual(faultsOfTiming(timing, YEAR_S), []);
    }
  });

  it('is counted from now for a delay, in fractions of a second too', () => {
    for (const [delay, inMs] of [
      [0.3, 300],
      [90, 90_000],
      [YEAR_S, YEAR_S * 1000],
    ]) {
      assert.deepEqual(dueOf({ delay }), { inMs });
      assert.deepEqual(faultsOfTiming({ delay }, YEAR_S), []);
    }
  });

  for (const delay of [
    -1,
    -0.001,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    YEAR_S + 1,
    '5',
    null,
    [5],
    5n,
    {},
  ]) {
    it(`refuses a delay of ${String(delay)} (${typeof delay})`, () => {
      assert.deepEqual(faultsOfTiming({ delay }, YEAR_S), [BAD_DELAY]);
    });
  }

  const times: [text: string, sameAs: string][] = [
    ['2020-02-29T12:00:00Z', '2020-02-29T12:00:00.000Z'],
    ['2020-02-29t12:00:00z', '2020-02-29T12:00:00.000Z'],
    ['2020-01-01T00:30:00+02:00', '2019-12-31T22:30:00.000Z'],
    ['2020-01-01T00:30:00-05:30', '2020-01-01T06:00:00.000Z'],
    ['2020-01-01T00:00:00.5-00:00', '2020-01-01T00:00:00.500Z'],
    ['2020-01-01T00:00:00.123456789Z', '2020-01-01T00:00:00.124Z'],
    ['0099-01-01T00:00:00Z', '0099-01-01T00:00:00.000Z'],
  ];
  for (const [text, sameAs] of times) {
    it(`reads ${text}`, () => {
      assert.deepEqual(dueOf({ run_at: text }), { atMs: Date.parse(sameAs) });
      assert.deepEqual(faultsOfTiming({ run_at: text }, YEAR_S), []);
    });
  }

  const noTimes = [
    'tomorrow',
    '2030-01-31',
    '2030-01-31T09:00:00', // whose nine o'clock?
    '2030-01-31 09:00:00Z',
    '2030-02-30T09:00:00Z',
    '2030-13-01T09:00:00Z',
    '2030-01-31T24:00:00Z',
    '2030-01-31T09:60:00Z',
    '2030-01-31T09:00:61Z',
    '2030-01-31T09:00:00+25:00',
    '2030-01-31T09:00:00.Z',
    '2030-01-31T09:00:00Z ',
    1893456000,
    null,
    {},
  ];
  for (const run_at of noTimes) {
    it(`refuses a time of ${JSON.stringify(run_at)}`, () => {
      assert.deepEqual(faultsOfTiming({ run_at }, YEAR_S), [BAD_TIME]);
    });
  }

  it('refuses a time too far away', () => {
    const run_at = new Date(Date.now() + 61_000).toISOString();
    assert.deepEqual(faultsOfTiming({ run_at }, 60), [
      { path: '/run_at', reason: 'must be at most 60 seconds from now' },
    ]);
    assert.deepEqual(faultsOfTiming({ run_at }, 62), []);
  });

  it('refuses both at once', () => {
    assert.deepEqual(faultsOfTiming({ delay: 1, run_at: '2030-01-31T09:00:00Z' }, YEAR_S), [
      { path: '/run_at', reason: 'is not allowed beside delay: only one of the two' },
    ]);
  });
});
