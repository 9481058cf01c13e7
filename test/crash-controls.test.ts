import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSystem } from './system.js';
import { replayUnderFire, sumOf, UNDER_FIRE } from './under-fire.js';

/** A consumer that breaks the promise on purpose; see there. */
const ACKNOWLEDGES_FIRST = fileURLToPath(new URL('./acknowledges-first.js', import.meta.url));

test('a consumer that acknowledges before the handler has run is caught losing tasks', async (t) => {
  const system = await startSystem(t, { env: UNDER_FIRE });
  const reports = await replayUnderFire(system, {
    kills: 4,
    tasks: 800,
    stallSeconds: 3, // what is lost never comes
    consumerScript: ACKNOWLEDGES_FIRST,
  });
  assert.notEqual(sumOf(reports, 'lost'), 0);
});
