import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { memoryTarget } from './memory-target.js';
import { backoffIsKept, PROMISES } from './promises.js';
import { redisTarget } from './redis-target.js';
import type { ConformanceTarget, TargetOptions } from './target.js';

// A suite that passes whatever it is given has shown nothing. Each wrong here is one that consumers can be made to do,
// and the model too; the promise beside it must be seen to be broken. See consumers/src/broken.ts.

const AGAIN = 'a task that fails is run again, with the next attempt number, until it works';
const LAST = 'a task that failed for the last time is one dead letter, with everything one needs';
const BACKOFF = 'a retry never comes before its back-off is over, which doubles';
const FROZEN = 'the outcome of a process that was frozen past its lease does not count';
const LONG = 'a task that takes longer than the lease stays with its consumer';
const DIED = 'a task whose process died runs again, with a higher attempt, once its lease is over';
const GROUPS = 'each group gets every task, and sees nothing of the retries of others';
const TOLD = 'a handler whose task was taken over is told so by its signal';

const WRONGS: readonly (readonly [wrong: string, promise: string])[] = [
  ['acknowledge-first', AGAIN],
  ['no-fencing', FROZEN],
  ['no-renewal', LONG],
  ['no-lease-notice', TOLD],
  ['no-take-over', DIED],
  ['no-attempt-count', LAST],
  ['no-backoff', BACKOFF],
  ['retry-by-append', GROUPS],
  ['delete-when-settled', GROUPS],
];

/** On a real Redis each takes seconds; the torture controls cover the others. */
const ON_REDIS: readonly string[] = ['acknowledge-first', 'no-renewal', 'no-attempt-count', 'no-backoff'];

/** A machine that stands still for a while does not make up for a back-off of this length. */
const LONG_BACKOFF_MS = 60_000;

/** What a promise that is broken is waited for on a real Redis. */
const PATIENCE_MS = 8000;

async function assertCaught(
  promise: string,
  start: (options: TargetOptions) => Promise<ConformanceTarget>,
): Promise<void> {
  const { options = {}, check } =
    promise === BACKOFF ? backoffIsKept(LONG_BACKOFF_MS) : (PROMISES[promise] ?? {});
  assert.ok(check, 'there is no such promise');
  const target = await start(options);
  await assert.rejects(check(target), isBrokenPromise, 'the suite did not notice');
}

/** Not any error: one that says that something did not come out as promised, or did not come. */
function isBrokenPromise(error: unknown): boolean {
  if (error instanceof assert.AssertionError) return true;
  const { code, message } = error as { code?: unknown; message?: unknown }; // whatever was thrown, it is an object
  return code === 'NOT_DRAINED' || /^waited \d+ ms for .*, in vain/.test(String(message));
}

for (const [wrong, promise] of WRONGS) {
  test(`in memory, ${wrong} is caught by "${promise}"`, (t: TestContext) =>
    assertCaught(promise, (options) => memoryTarget(t, options, wrong)));
}

// Most of the time each waits, on a Redis of its own. In memory time is virtual, for all that runs: those are alone.
describe('on Redis', { concurrency: 4 }, () => {
  for (const [wrong, promise] of WRONGS) {
    if (!ON_REDIS.includes(wrong)) continue;
    test(`${wrong} is caught by "${promise}"`, (t: TestContext) =>
      assertCaught(promise, (options) => redisTarget(t, options, wrong, PATIENCE_MS)));
  }
});

test('a promise that is shown on one target only says why', () => {
  const limited = Object.entries(PROMISES).filter(([, { only }]) => only !== undefined);
  assert.deepEqual(
    limited.map(([promise, { only }]) => [promise, only?.target]),
    [['a task that was through when its process died, before Redis was told, runs again', 'memory']],
  );
  for (const [, { only }] of limited) assert.notEqual(only?.because, '');
});
