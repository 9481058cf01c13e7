import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent } from '@sluice/telemetry';
import type { AppendFailure } from '../append/batcher.js';
import { AppendBreaker } from './append-breaker.js';
import { AppendBreakers, redisHealthOf } from './append-breakers.js';

function breakerWith(refusals = 3) {
  const clock = { ms: 1000 };
  const events: EngineEvent[] = [];
  const breaker = new AppendBreaker('tasks:stream', {
    refusals,
    probeAfterMs: 500,
    listener: (event) => events.push(event),
    now: () => clock.ms,
  });
  return { breaker, clock, events };
}

function refusedWith(reason: string): AppendFailure {
  return { code: 'APPEND_REFUSED', reason };
}

const OOM = refusedWith("OOM command not allowed when used memory > 'maxmemory'.");
const WRONGTYPE = refusedWith('WRONGTYPE Operation against a key holding the wrong kind of value');

test('opens at so many refusals in a row, and not when something is appended between them', () => {
  const { breaker, events } = breakerWith();
  breaker.noteFailed(2, OOM, true);
  breaker.noteAppended(true);
  breaker.noteFailed(2, OOM, true);
  assert.equal(breaker.state, 'closed');
  assert.equal(breaker.lastObstacle(), undefined);
  breaker.noteFailed(1, OOM, true);
  assert.equal(breaker.state, 'open');
  assert.deepEqual(events, [
    { type: 'breaker-opened', stream: 'tasks:stream', refusals: 3, reason: OOM.reason },
  ]);
});

test('while it is open, one in each interval comes through, and the others are told the cause', () => {
  const { breaker, clock } = breakerWith();
  breaker.noteFailed(3, OOM, true);
  for (let interval = 0; interval < 3; interval++) {
    clock.ms += 499;
    const obstacle = breaker.lastObstacle();
    assert.equal(obstacle?.code, 'APPEND_REFUSED');
    assert.match(obstacle?.message ?? '', /\(OOM\): nothing was stored/);
    assert.equal(obstacle?.retryAfterSeconds, 1);
    clock.ms += 1;
    assert.equal(breaker.obstacle(), undefined, 'a body may come in');
    assert.equal(breaker.lastObstacle(), undefined);
    assert.equal(breaker.state, 'half-open');
    assert.notEqual(breaker.lastObstacle(), undefined);
    if (interval < 2) breaker.noteFailed(1, OOM, true); // else the probe comes to nothing
  }
  clock.ms += 500;
  assert.equal(breaker.lastObstacle(), undefined);
});

test('closes as soon as something is appended, and opens anew only after as many refusals', () => {
  const { breaker, clock, events } = breakerWith();
  breaker.noteFailed(3, OOM, true);
  clock.ms += 700;
  breaker.lastObstacle();
  breaker.noteAppended(true);
  assert.equal(breaker.state, 'closed');
  assert.deepEqual(events.at(-1), { type: 'breaker-closed', stream: 'tasks:stream', openMs: 700 });
  breaker.noteFailed(2, OOM, true);
  assert.equal(breaker.isOpen, false);
  breaker.noteFailed(1, OOM, true);
  assert.equal(breaker.opened, 2);
});

test('what scripts are told counts only where it would be told to all', () => {
  const { breaker } = breakerWith();
  breaker.noteFailed(10, WRONGTYPE, false);
  assert.equal(breaker.isOpen, false);
  breaker.noteFailed(10, OOM, false);
  assert.equal(breaker.isOpen, true);
  breaker.noteAppended(false);
  assert.equal(breaker.isOpen, false);
  breaker.noteFailed(10, WRONGTYPE, true);
  breaker.noteAppended(false);
  assert.equal(breaker.isOpen, true, 'a delayed task does not reach the stream');
});

test('neither a full schedule nor a lost connection opens it; a level that is not reached has appended', () => {
  const { breaker } = breakerWith();
  for (const code of ['OVERLOADED', 'REDIS_UNAVAILABLE', 'APPEND_UNCONFIRMED'] as const)
    breaker.noteFailed(10, { code, reason: '' }, true);
  assert.equal(breaker.isOpen, false);
  breaker.noteFailed(10, OOM, true);
  breaker.noteFailed(1, { code: 'ACK_LEVEL_NOT_REACHED', reason: '' }, true);
  assert.equal(breaker.isOpen, false);
});

test('with 0, it never opens', () => {
  const { breaker } = breakerWith(0);
  breaker.noteFailed(1000, OOM, true);
  assert.equal(breaker.isOpen, false);
});

test('the health of all: the worst of the streams, of the processes, and open without Redis', () => {
  const options = { refusals: 1, probeAfterMs: 500, listener: () => {}, now: () => 0 };
  const [one, other] = [new AppendBreakers(options), new AppendBreakers(options)];
  one.of('a');
  other.of('a').noteFailed(1, OOM, true);
  assert.deepEqual(one.health(true), { breaker: 'closed', refused: [] });
  assert.deepEqual(one.health(false), { breaker: 'open', refused: [] });
  assert.deepEqual(redisHealthOf([one.health(true), other.health(true)]), {
    breaker: 'open',
    refused: [{ stream: 'a', breaker: 'open', cause: 'OOM' }],
  });
  assert.deepEqual(redisHealthOf([]), { breaker: 'open', refused: [] });
});
