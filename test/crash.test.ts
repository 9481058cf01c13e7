import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ReplayReport, replay } from '@sluice/example-webhooks';
import type { RunningProcess } from '@sluice/testbed';
import { BODIES, type System, startSystem } from './system.js';

const KILLS = 10;
const MOST_ROUNDS = 10;
const SLOW_HANDLERS = fileURLToPath(new URL('./slow-handlers.js', import.meta.url));
/** A consumer that breaks the promise on purpose; see there. */
const ACKNOWLEDGES_FIRST = fileURLToPath(new URL('./acknowledges-first.js', import.meta.url));

/** Runs a replay and kills, ten times each, a consumer program and an engine process while it goes on. */
async function replayUnderFire(system: System, consumerScript?: string): Promise<ReplayReport[]> {
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
  const reports: ReplayReport[] = [];
  // As many rounds as it takes on a busy machine: every kill is to happen while tasks are being sent.
  while (kills < KILLS && reports.length < MOST_ROUNDS) {
    const until = Math.min(KILLS, kills + KILLS / 2);
    const report = await replay(
      {
        folder: BODIES,
        times: Math.ceil(2000 / bodiesIn(BODIES)),
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
          // Not towards the end, and never the last consumer: that others go on working is what is tested.
          if (kills < until && accepted < tasks * 0.9 && consumers.length > 1) kill();
        },
      },
    );
    reports.push(report);
  }
  await Promise.all(starting);
  assert.equal(kills, KILLS);
  return reports;
}

function sumOf(
  reports: readonly ReplayReport[],
  figure:
    | 'sent'
    | 'accepted'
    | 'unconfirmed'
    | 'abandoned'
    | 'done'
    | 'dead'
    | 'lost'
    | 'pending'
    | 'duplicates',
): number {
  return reports.reduce((sum, report) => sum + report[figure], 0);
}

function bodiesIn(folder: string): number {
  return readdirSync(folder).filter((name) => name.endsWith('.json')).length;
}

test('consumers and engine processes killed ten times each: every 202 is worked off', async (t) => {
  const system = await startSystem(t, {
    env: { TASK_LEASE: '2', HANDLER_MODULE: SLOW_HANDLERS, MAX_CONCURRENT_TASKS: '100' },
  });
  const reports = await replayUnderFire(system);
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

test('a consumer that acknowledges before the handler has run is caught losing tasks', async (t) => {
  const system = await startSystem(t, {
    env: { TASK_LEASE: '2', HANDLER_MODULE: SLOW_HANDLERS, MAX_CONCURRENT_TASKS: '100' },
  });
  const reports = await replayUnderFire(system, ACKNOWLEDGES_FIRST);
  assert.notEqual(sumOf(reports, 'lost'), 0);
});
