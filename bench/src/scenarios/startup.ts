import { spawn } from 'node:child_process';
import { startRedis } from '@sluice/testbed';
import type { Bar } from '../bars.js';
import { untilEnd } from '../child.js';
import { startEngineProgram, stopEngineProgram } from '../peers/engine.js';
import { spreadText } from '../report.js';
import type { Bench, Scenario } from '../scenario.js';
import { type Spread, spreadOf } from '../statistics.js';

const LIMIT_SECONDS = 60;
const LIMIT_MS = 1000;

interface Start {
  name: string;
  round: number;
  /** From the start of the program until it is ready; of Node alone, until it has ended. */
  ms: number;
}

/** How soon does the engine take tasks? Beside it stands what Node takes for nothing on this machine, at this load. */
export const startup: Scenario = {
  name: 'startup',
  question: 'How soon after its start is the engine ready, and how soon is Node that does nothing?',
  requirements: ['P-8'],
  defaults: { rounds: 7, seconds: 0, warmUpSeconds: 0 },
  async run(bench) {
    const node = 'node -e 0';
    const engine = 'engine, until /readyz says 200';
    const starts: Start[] = [];
    await bench.running.use(
      () => startRedis(),
      async (redis) => {
        for (let round = 0; round <= bench.options.rounds; round++) {
          const took = [
            { name: node, round, ms: await timed(startNode) },
            { name: engine, round, ms: await startEngine(bench, redis.url) },
          ];
          if (round === 0) continue; // what files the system had not read yet is another question
          starts.push(...took);
          bench.progress(
            `round ${round}: ${took.map(({ name, ms }) => `${name} ${Math.round(ms)} ms`).join(', ')}`,
          );
        }
      },
    );
    const spreads = [node, engine].map((name) => ({ name, ms: spreadOf(timesOf(starts, name)) }));
    const alone = spreadOf(timesOf(starts, node));
    const ready = spreadOf(timesOf(starts, engine));
    return {
      tables: [
        {
          title: 'ms from start: median round (lowest–highest)',
          columns: ['', 'ms', 'times node'],
          rows: spreads.map(({ name, ms }) => [name, spreadText(ms), (ms.median / alone.median).toFixed(1)]),
        },
      ],
      notes: ['The first start of each is not counted.'],
      bars: [barOf(ready)],
      turns: starts,
    };
  },
};

function startNode(): Promise<void> {
  return untilEnd(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'node', LIMIT_SECONDS);
}

async function startEngine(bench: Bench, redisUrl: string): Promise<number> {
  const { processes } = bench.options;
  let ms = Number.NaN;
  await bench.running.use(
    async () => {
      const startedAt = performance.now();
      const { engine } = await startEngineProgram(redisUrl, { ackMode: 'appended', processes });
      ms = performance.now() - startedAt;
      return { stop: () => stopEngineProgram(engine) };
    },
    async () => {},
  );
  return ms;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function timesOf(starts: readonly Start[], name: string): number[] {
  return starts.filter((start) => start.name === name).map(({ ms }) => ms);
}

function barOf(ready: Spread): Bar {
  const what = 'idle to ready';
  return { requirement: 'P-8', what, measured: ready.median, is: 'at most', limit: LIMIT_MS, unit: ' ms' };
}
