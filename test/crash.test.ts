import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ReplayReport, replay } from '@sluice/example-webhooks';
import type { RunningProcess } from '@sluice/testbed';
import { BODIES, type System, startSystem } from './system.js';

const KILLS = 10;
const SLOW_HANDLERS = fileURLToPath(new URL('./slow-handlers.js', import.meta.url));
/** A consumer that breaks the promise on purpose; see there. */
const ACKNOWLEDGES_FIRST = fileURLToPath(new URL('./acknowledges-first.js', import.meta.url));

/** Runs a replay and kills, ten times each, a consumer program and an engine process while it goes on. */
async function replayUnderFire(system: System, consumerScript?: string): Promise<ReplayReport> {
  const consumers: RunningProcess[] = [];
  const starting: Promise<unknown>[] = [];
  const start = async (): Promise<void> => {
    consumers.push(await system.addConsumer(consumerScript));
  };
  await Promise.all([start(), start(), start()]);
  let kills = 0;
  const kill = (): void => {
    // The oldest, which has had the time to take tasks.
    consumers.shift()?.signal('SIGKILL');
    const [engineProcess] = system.engineProcesses();
    if (engineProcess !== undefined) process.kill(engineProcess, 'SIGKILL');
    kills++;
    starting.push(start());
  };
  const report = await replay(
    {
      folder: BODIES,
      times: Math.ceil(4000 / bodiesIn(BODIES)),
      rate: 250,
      typeByEvent: false,
      connections: 32,
      url: system.url,
      redisUrl: system.redis.url,
      digestDir: system.digestDir,
      stallSeconds: 30,
    },
    {
      onProgress: ({ tasks, accepted }) => {
        // Spread over the time of sending, and never the last consumer: who then works is what is tested.
        const isTime = accepted > ((kills + 1) * tasks) / (KILLS + 6);
        if (kills < KILLS && isTime && consumers.length > 1) kill();
      },
    },
  );
  await Promise.all(starting);
  assert.equal(kills, KILLS);
  return report;
}

function bodiesIn(folder: string): number {
  return readdirSync(folder).filter((name) => name.endsWith('.json')).length;
}

test('consumers and engine processes killed ten times each: every 202 is worked off', async (t) => {
  const system = await startSystem(t, {
    env: { TASK_LEASE: '2', HANDLER_MODULE: SLOW_HANDLERS, MAX_CONCURRENT_TASKS: '100' },
  });
  const report = await replayUnderFire(system);
  t.diagnostic(
    `sent ${report.sent}, accepted ${report.accepted}, unconfirmed ${report.unconfirmed}, duplicates ${report.duplicates}; sent in ${report.sendSeconds.toFixed(1)} s, settled after ${report.durationSeconds.toFixed(1)} s`,
  );
  assert.equal(report.lost, 0, `lost: ${report.lostIds.join(', ')}`);
  assert.equal(report.pending, 0);
  assert.equal(report.abandoned, 0);
  assert.equal(report.dead, 0);
  assert.equal(report.done, report.accepted);
});

test('a consumer that acknowledges before the handler has run is caught losing tasks', async (t) => {
  const system = await startSystem(t, {
    env: { TASK_LEASE: '2', HANDLER_MODULE: SLOW_HANDLERS, MAX_CONCURRENT_TASKS: '100' },
  });
  const report = await replayUnderFire(system, ACKNOWLEDGES_FIRST);
  assert.notEqual(report.lost, 0);
});
