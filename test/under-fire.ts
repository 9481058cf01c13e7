import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ReplayReport, replay } from '@sluice/example-webhooks';
import type { RunningProcess } from '@sluice/testbed';
import { BODIES, type System } from './system.js';

const MOST_ROUNDS = 10;
const SLOW_HANDLERS = fileURLToPath(new URL('./slow-handlers.js', import.meta.url));

/** What the consumers of a system under fire are set to. */
export const UNDER_FIRE = { TASK_LEASE: '2', HANDLER_MODULE: SLOW_HANDLERS, MAX_CONCURRENT_TASKS: '100' };

export interface Fire {
  /** How often a consumer program and an engine process are killed, each. */
  kills: number;
  /** Half of the kills come while so many are sent. */
  tasks: number;
  /** How long nothing may happen while something is left, until that is taken for lost. */
  stallSeconds: number;
  /** In place of the consumer program. */
  consumerScript?: string;
}

/** Runs replays and kills a consumer program and an engine process, so often each, while they go on. */
export async function replayUnderFire(
  system: System,
  { kills: wanted, tasks: tasksARound, stallSeconds, consumerScript }: Fire,
): Promise<ReplayReport[]> {
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
  while (kills < wanted && reports.length < MOST_ROUNDS) {
    const until = Math.min(wanted, kills + wanted / 2);
    const report = await replay(
      {
        folder: BODIES,
        times: Math.ceil(tasksARound / bodiesIn(BODIES)),
        rate: 250,
        typeByEvent: false,
        connections: 32,
        url: system.url,
        redisUrl: system.redis.url,
        digestDir: system.digestDir,
        stallSeconds,
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
  assert.equal(kills, wanted);
  return reports;
}

/** A figure of all replays together. */
export function sumOf(
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
