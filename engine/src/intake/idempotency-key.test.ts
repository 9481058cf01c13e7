import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIdempotencyKey } from './idempotency-key.js';

const LONGEST = 'k'.repeat(255);

for (const [value, key] of [
  ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['order 17/a;b=c:{d}', 'order 17/a;b=c:{d}'],
  ['"a, b"', 'a, b'],
  ['"a \\"quoted\\" \\\\ key"', 'a "quoted" \\ key'],
  ['back\\slash', 'back\\slash'],
  [LONGEST, LONGEST],
  [`"${LONGEST}"`, LONGEST],
] as const) {
  test(`takes ${value.slice(0, 50)}`, () => assert.equal(parseIdempotencyKey(value), key));
}

for (const value of [
  '',
  '""',
  `${LONGEST}k`,
  `"${LONGEST}k"`,
  'a, b',
  '"a", "b"',
  '"a',
  'a"',
  '"a"b',
  '"a";x=1',
  '"a\\b"',
  '"a\\"',
  'tab\there',
  'bell\u0007',
  'delete\u007f',
  'ü',
  '"ü"',
  '\u0080',
]) {
  test(`refuses ${JSON.stringify(value).slice(0, 50)}`, () =>
    assert.equal(parseIdempotencyKey(value), undefined));
}
