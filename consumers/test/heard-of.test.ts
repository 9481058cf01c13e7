import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { setUp } from './fixture.js';

test('a consumer that an open breaker keeps from reading is heard of all the same', async (t) => {
  const queue = await setUp(t);
  const { events } = await queue.consume({
    threads: 1,
    breaker: true,
    breakerMinimumFailures: 1,
    breakerOpenSeconds: 600,
    breakerOpenMaxSeconds: 600,
  });
  await queue.appendScript({ do: 'throw' });
  await waitFor(() => events.some(({ type }) => type === 'breaker-opened'), {
    timeoutMs: 20_000,
    what: 'the breaker to open',
  });
  const stream = queue.keys.stream('default');
  const idleMs = async (): Promise<number> => {
    const consumers = (await queue.redis.xinfo('CONSUMERS', stream, 'processors')) as unknown[][];
    const one = consumers.find((facts) => facts[1] !== '~parked');
    assert.ok(one !== undefined);
    return Number(one[one.indexOf('idle') + 1]);
  };
  let before = await idleMs();
  let signs = 0; // a read that was under way when it opened is one
  await waitFor(
    async () => {
      const now = await idleMs();
      if (now < before) signs++;
      before = now;
      return signs === 3;
    },
    { timeoutMs: 20_000, what: 'three signs of life' },
  );
});
