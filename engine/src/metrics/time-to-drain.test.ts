import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeToDrain } from './time-to-drain.js';

/** Looks once a second at `[waiting, left]`. */
function after(looks: readonly (readonly [number, number])[]): TimeToDrain {
  const drain = new TimeToDrain();
  for (const [second, [waiting, left]] of looks.entries()) drain.observe(waiting, left, second * 1000);
  return drain;
}

const times = (count: number, look: readonly [number, number]) => Array.from({ length: count }, () => look);

test('nothing waits: 0', () => {
  assert.equal(after([[0, 0]]).seconds, 0);
  assert.equal(after([[0, 10]]).seconds, 0);
});

test('the first task that waits is worth a second, before anything is known of consumers', () => {
  assert.equal(after([[1, 0]]).seconds, 1);
  assert.equal(
    after([
      [0, 0],
      [5, 0],
    ]).seconds,
    1,
  );
});

test('while nothing leaves it rises by a second each second, and is never infinite', () => {
  assert.equal(after(times(31, [1000, 0])).seconds, 30);
  assert.equal(after([...times(31, [1000, 0]), [0, 0]]).seconds, 0);
});

test('a backlog takes its number divided by the rate at which tasks leave', () => {
  const looks = Array.from({ length: 20 }, (_, i) => [5000 - 100 * i, 100 * i] as const);
  const drain = after(looks);
  assert.equal(drain.perSecond, 100);
  assert.equal(drain.seconds, 31);
});

test('time in which nothing waited does not make consumers slow', () => {
  const looks = [
    ...Array.from({ length: 11 }, (_, i) => [1000, 100 * i] as const),
    ...times(300, [0, 2000]),
    [500, 2000] as const,
  ];
  const { perSecond = 0, seconds } = after(looks);
  assert.ok(perSecond >= 100, String(perSecond));
  assert.ok(seconds > 0 && seconds <= 5, String(seconds));
});

test('few long tasks: the rate is told from as many as it takes, not from the last seconds', () => {
  // Five at a time, one done each minute.
  const looks = Array.from({ length: 601 }, (_, second) => [5, Math.floor(second / 60)] as const);
  const drain = after(looks);
  assert.ok(Math.abs(drain.seconds - 300) < 30, String(drain.seconds));
});

test('consumers that have died after fast work: it rises with the time for which nothing left', () => {
  const fast = Array.from({ length: 20 }, (_, i) => [1000, 1000 * i] as const);
  assert.equal(after(fast).seconds, 1);
  const dead = after([...fast, ...times(60, [1000, 19_000])]);
  assert.ok(dead.seconds >= 60 && dead.seconds < 600, String(dead.seconds));
});

test('a stream that was deleted and begun again is another one', () => {
  const drain = after([
    [10, 100],
    [10, 110],
    [3, 0],
    [3, 0],
  ]);
  assert.equal(drain.perSecond, 5);
  assert.ok(drain.seconds >= 0.3);
});
