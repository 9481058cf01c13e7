import { test } from 'node:test';
import { memoryTarget } from './memory-target.js';
import { PROMISES } from './promises.js';

for (const [promise, { options = {}, check, only }] of Object.entries(PROMISES)) {
  if (only !== undefined && only.target !== 'memory') continue;
  test(`in memory: ${promise}`, async (t) => check(await memoryTarget(t, options)));
}
