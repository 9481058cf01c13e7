import { test } from 'node:test';
import { PROMISES } from './promises.js';
import { redisTarget } from './redis-target.js';

for (const [promise, { options = {}, check, only }] of Object.entries(PROMISES)) {
  if (only !== undefined && only.target !== 'redis') continue;
  test(`on Redis: ${promise}`, async (t) => check(await redisTarget(t, options)));
}
