import { describe, test } from 'node:test';
import { PROMISES } from './promises.js';
import { redisTarget } from './redis-target.js';

// Most of them wait, for a lease or a back-off: each has a Redis of its own.
describe('on Redis', { concurrency: 3 }, () => {
  for (const [promise, { options = {}, check, only }] of Object.entries(PROMISES)) {
    if (only !== undefined && only.target !== 'redis') continue;
    test(promise, async (t) => check(await redisTarget(t, options)));
  }
});
