import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdTime, isoNow, letTimeGoOn } from './iso-now.js';

/** Waits until the clock says another millisecond. */
function nextMillisecond(): void {
  for (const now = Date.now(); Date.now() === now; );
}

test('says the time of day', () => {
  const before = Date.now();
  const said = isoNow();
  assert.match(said, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Date.parse(said) >= before && Date.parse(said) <= Date.now());
});

test('stands still until all who hold it have let go', () => {
  const held = isoNow();
  holdTime();
  holdTime();
  nextMillisecond();
  assert.equal(isoNow(), held);
  letTimeGoOn();
  assert.equal(isoNow(), held);
  letTimeGoOn();
  assert.ok(Date.parse(isoNow()) > Date.parse(held));
});
