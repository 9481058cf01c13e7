import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SpanClock } from './span-clock.js';

it('tells Unix milliseconds, of a count of microseconds that starts anew at 2^32 too', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_763_754_000_000 });
  let performanceMs = 2 ** 32 / 1000 - 1.5;
  t.mock.method(performance, 'now', () => performanceMs);
  const clock = new SpanClock();
  t.after(() => clock.stop());
  const microsNow = (): number => (performanceMs * 1000) | 0;
  assert.ok(Math.abs(clock.ofMicros(microsNow()) - 1_763_754_000_000) < 0.01);
  for (const laterMs of [0.25, 3, 20 * 60_000]) {
    performanceMs += laterMs;
    assert.ok(Math.abs(clock.ofMicros(microsNow()) - clock.now()) < 0.01, `after ${laterMs} ms`);
  }
});
