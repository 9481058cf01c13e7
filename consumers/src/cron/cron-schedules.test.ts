import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineTaskType, SluiceError } from '@sluice/contract';
import { Type } from 'typebox';
import { resolveSchedules } from './cron-schedules.js';

const GOOD = { name: 'nightly', cron: '0 3 * * *', type: 'report', data: { a: 1 } };
const mail = defineTaskType('mail', Type.Object({ to: Type.String() }));

describe('cron schedules', () => {
  it('are a name, run times in a zone, a type and an envelope', () => {
    const [report, mails, untyped] = resolveSchedules(
      [
        { ...GOOD, timeZone: 'Europe/Berlin', metadata: { by: 'cron' } },
        { name: 'mails', cron: '@hourly', type: mail, data: { to: 'a@example.org' } },
        { name: 'tick', cron: '* * * * * *', data: null },
      ],
      'schedules',
    );
    assert.equal(report?.payload, '{"data":{"a":1},"metadata":{"by":"cron"}}');
    const winter = Date.parse('2026-01-01T00:00:00Z');
    assert.equal(report?.times.next(winter), Date.parse('2026-01-01T02:00:00Z'));
    assert.deepEqual([report?.taskType, mails?.taskType, untyped?.taskType], ['report', 'mail', 'default']);
    assert.equal(untyped?.payload, '{"data":null}');
  });

  const circular: { self?: unknown } = {};
  circular.self = circular;
  const wrong: [what: string, given: unknown, says: RegExp][] = [
    ['no list', {}, /^schedules is no list/],
    ['no object', ['0 3 * * *'], /^schedules\.0 is no object/],
    ['no name', [{ ...GOOD, name: undefined }], /^schedules\.0\.name is not set; allowed: 1 to 128 letters/],
    ['a name with a space', [{ ...GOOD, name: 'every night' }], /^schedules\.0\.name is "every night"/],
    ['a name twice', [GOOD, GOOD], /^schedules\.1\.name is nightly as that of another/],
    ['no pattern', [{ ...GOOD, cron: undefined }], /^schedules\.0\.cron is not set/],
    [
      'a wrong pattern',
      [{ ...GOOD, cron: '61 * * * *' }],
      /^schedules\.0\.cron is "61 .*no cron pattern: .*minute/,
    ],
    ['a pattern that never comes', [{ ...GOOD, cron: '0 0 30 2 *' }], /^schedules\.0\.cron .*never comes$/],
    ['a pattern of the past', [{ ...GOOD, cron: '0 0 0 1 1 * 2020' }], /^schedules\.0\.cron .*never comes$/],
    [
      'an unknown zone',
      [{ ...GOOD, timeZone: 'Mars/Olympus' }],
      /^schedules\.0\.timeZone is "Mars\/Olympus"/,
    ],
    [
      'a type of a wrong name',
      [{ ...GOOD, type: 'a:b' }],
      /^schedules\.0\.type task type "a:b" is not a valid name/,
    ],
    ['no data', [{ ...GOOD, data: undefined }], /^schedules\.0\.data is missing/],
    ['data beyond JSON', [{ ...GOOD, data: 1n }], /^schedules\.0\.data is nothing that JSON can say/],
    ['circular data', [{ ...GOOD, data: circular }], /^schedules\.0\.data is nothing that JSON can say/],
    [
      'data that is too much',
      [{ ...GOOD, data: 'x'.repeat(1_048_577) }],
      /^schedules\.0\.data has \d+ bytes/,
    ],
    [
      'data of another type',
      [{ ...GOOD, type: mail }],
      /^schedules\.0\.data does not match the schema of mail: /,
    ],
    [
      'metadata that is no object',
      [{ ...GOOD, metadata: [] }],
      /^schedules\.0\.metadata is a object; allowed/,
    ],
    [
      'an unknown property',
      [{ ...GOOD, timezone: 'UTC' }],
      /^schedules\.0\.timezone is not known; allowed: name,/,
    ],
    [
      'too many',
      Array.from({ length: 1001 }, () => GOOD),
      /^schedules has 1001 schedules; allowed: up to 1000$/,
    ],
  ];
  for (const [what, given, says] of wrong) {
    it(`refuse ${what}`, () => {
      assert.throws(
        () => resolveSchedules(given, 'schedules'),
        (error) =>
          error instanceof SluiceError && error.code === 'INVALID_OPTIONS' && says.test(error.message),
      );
    });
  }

  it('say all that is wrong at once', () => {
    const given = [{ ...GOOD, cron: 'x' }, GOOD, { ...GOOD, name: '' }];
    assert.throws(
      () => resolveSchedules(given, 'schedules'),
      (error) => error instanceof SluiceError && error.details?.length === 2,
    );
  });
});
