import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSystem } from './system.js';
import { replayUnderFire, sumOf, UNDER_FIRE } from './under-fire.js';

test('consumers and engine processes killed ten times each: every 202 is worked off', async (t) => {
  const system = await startSystem(t, { env: UNDER_FIRE });
  const reports = await replayUnderFire(system, { kills: 10, tasks: 2000, stallSeconds: 30 });
  const [sent, accepted, unconfirmed] = [
    sumOf(reports, 'sent'),
    sumOf(reports, 'accepted'),
    sumOf(reports, 'unconfirmed'),
  ];
  t.diagnostic(
    `sent ${sent}, accepted ${accepted}, unconfirmed ${unconfirmed}, ran twice ${sumOf(reports, 'duplicates')}`,
  );
  assert.equal(sumOf(reports, 'lost'), 0, `lost: ${reports.flatMap((report) => report.lostIds).join(', ')}`);
  assert.equal(sumOf(reports, 'pending'), 0);
  assert.equal(sumOf(reports, 'abandoned'), 0);
  assert.equal(sumOf(reports, 'dead'), 0);
  assert.equal(sumOf(reports, 'done'), accepted);
});
