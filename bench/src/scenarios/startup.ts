import { spawn } from 'node:child_process';
import { startRedis } from '@sluice/testbed';
import type { Bar } from '../bars.js';
import { untilEnd } from '../child.js';
import { cpuSecondsOfTree, processTree } from '../cpu-time.js';
import { startEngineProgram, stopEngineProgram } from '../peers/engine.js';
import { startSluiceConsumer } from '../peers/sluice-consumer.js';
import { spreadText } from '../report.js';
import type { Bench, Scenario } from '../scenario.js';
import { type Spread, spreadOf } from '../statistics.js';

const LIMIT_SECONDS = 60;
const LIMIT_MS = 1000;

/** What a program took, from its start until it was ready; Node alone, until it had ended. */
interface Took {
  ms: number;
  /** Of all its processes; undefined where there is no /proc. */
  cpuSeconds: number | undefined;
}

interface Start extends Took {
  name: string;
  round: number;
}

const NODE = 'node -e 0';
const ENGINE = 'engine, until /readyz says 200';
const CONSUMERS = 'consumers, until all threads read';

/**
 * How soon do engine and consumers take tasks? Beside them stands what Node takes for nothing on this machine, at this
 * load; CPU time says more than the clock where others have the cores.
 */
export const startup: Scenario = {
  name: 'startup',
  question:
    'How soon after their start are engine and consumers ready, and how soon is Node that does nothing?',
  requirements: ['P-8'],
  defaults: { rounds: 7, seconds: 0, warmUpSeconds: 0 },
  async run(bench) {
    const starts: Start[] = [];
    await bench.running.use(
      () => startRedis(),
      async (redis) => {
        for (let round = 0; round <= bench.options.rounds; round++) {
          const took: Start[] = [
            { name: NODE, round, ...(await startNode()) },
            { name: ENGINE, round, ...(await startEngine(bench, redis.url)) },
            { name: CONSUMERS, round, ...(await startConsumers(bench, redis.url)) },
          ];
          if (round === 0) continue; // what files the system had not read yet is another question
          starts.push(...took);
          bench.progress(
            `round ${round}: ${took.map(({ name, ms }) => `${name} ${Math.round(ms)} ms`).join(', ')}`,
          );
        }
      },
    );
    const alone = spreadsOf(starts, NODE);
    const rows = [NODE, ENGINE, CONSUMERS].map((name) => {
      const { ms, cpuMs } = spreadsOf(starts, name);
      const times = (ms.median / alone.ms.median).toFixed(1);
      if (cpuMs === undefined || alone.cpuMs === undefined) return [name, spreadText(ms), times, '', ''];
      return [
        ...[name, spreadText(ms), times],
        ...[spreadText(cpuMs), (cpuMs.median / alone.cpuMs.median).toFixed(1)],
      ];
    });
    return {
      tables: [
        {
          title: 'from start to ready: median round (lowest–highest)',
          columns: ['', 'ms', 'times node', 'CPU ms', 'times node'],
          rows,
        },
      ],
      notes: [
        'The first start of each is not counted. A consumer has a worker thread for each core unless it is told otherwise.',
      ],
      bars: [barOf(ENGINE, starts), barOf(CONSUMERS, starts)],
      turns: starts,
    };
  },
};

async function startNode(): Promise<Took> {
  const before = endedChildrenCpuSeconds();
  const ms = await timed(() =>
    untilEnd(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'node', LIMIT_SECONDS),
  );
  const after = endedChildrenCpuSeconds();
  return { ms, cpuSeconds: before === undefined || after === undefined ? undefined : after - before };
}

function endedChildrenCpuSeconds(): number | undefined {
  return processTree(process.pid)?.get(process.pid)?.endedChildrenCpuSeconds;
}

async function startEngine(bench: Bench, redisUrl: string): Promise<Took> {
  const { processes } = bench.options;
  return startProgram(bench, async () => {
    const { engine } = await startEngineProgram(redisUrl, { ackMode: 'appended', processes });
    return { cpuSeconds: () => cpuSecondsOfTree(engine.pid), stop: () => stopEngineProgram(engine) };
  });
}

async function startConsumers(bench: Bench, redisUrl: string): Promise<Took> {
  return startProgram(bench, async () => {
    const consumer = startSluiceConsumer(redisUrl, 0);
    await consumer.ready;
    return consumer;
  });
}

interface Started {
  cpuSeconds(): number | undefined;
  stop(): Promise<void>;
}

async function startProgram(bench: Bench, start: () => Promise<Started>): Promise<Took> {
  const took: Took = { ms: Number.NaN, cpuSeconds: undefined };
  await bench.running.use(
    async () => {
      const startedAt = performance.now();
      const program = await start();
      took.ms = performance.now() - startedAt;
      took.cpuSeconds = program.cpuSeconds();
      return program;
    },
    async () => {},
  );
  return took;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function spreadsOf(starts: readonly Start[], name: string): { ms: Spread; cpuMs: Spread | undefined } {
  const own = starts.filter((start) => start.name === name);
  const cpu = own.flatMap(({ cpuSeconds }) => (cpuSeconds === undefined ? [] : [cpuSeconds * 1000]));
  return {
    ms: spreadOf(own.map(({ ms }) => ms)),
    cpuMs: cpu.length === own.length ? spreadOf(cpu) : undefined,
  };
}

function barOf(name: string, starts: readonly Start[]): Bar {
  const measured = spreadsOf(starts, name).ms.median;
  const what = `idle to ready: ${name.split(',', 1).join('')}`;
  return { requirement: 'P-8', what, measured, is: 'at most', limit: LIMIT_MS, unit: ' ms' };
}
