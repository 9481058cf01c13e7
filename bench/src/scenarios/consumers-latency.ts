import type { RecordableHistogram } from 'node:perf_hooks';
import type { Bar } from '../bars.js';
import { BenchFault } from '../bench-fault.js';
import { OtherPrograms } from '../cpu-time.js';
import { withGeneratorCore } from '../generator-core.js';
import { histogramOf, type Latency, latencyOf, merged } from '../load/latency.js';
import type { LoadTimes } from '../load/open-loop.js';
import { bareLoopPeer } from '../peers/bare-loop.js';
import { sluiceConsumerPeer } from '../peers/sluice-consumer.js';
import { bullmqPath, enginePath, type RunningTaskPath, type TaskPath } from '../peers/task-path.js';
import { numberText, spreadText } from '../report.js';
import type { Bench, Findings, Scenario, Table } from '../scenario.js';
import { spreadOf } from '../statistics.js';
import { disturbances, interleaved, type Turn } from '../turn.js';

/** Tasks/s, each with the p99 that P-5 asks for in milliseconds. */
const RATES = [
  { rate: 100, limit: 0.4 },
  { rate: 1000, limit: 5 },
];

/**
 * How long does a task wait for its handler when it arrives at a constant rate? Counted from when whoever sent it knew
 * that it was accepted (202 read, `add` resolved), and from when it was due to be sent. The consumer may be told of a
 * task before the sender is: such a start counts as 0.
 */
export const consumersLatency: Scenario = {
  name: 'consumers-latency',
  question: 'How long from the 202 until the handler starts, at a constant arrival rate?',
  requirements: ['P-5'],
  defaults: { rounds: 3, seconds: 10, warmUpSeconds: 2 },
  run: (bench) => withGeneratorCore((core) => measure(bench, core)),
};

async function measure(bench: Bench, core: number | undefined): Promise<Findings> {
  const sluice = enginePath(sluiceConsumerPeer());
  const paths = [sluice, enginePath(bareLoopPeer()), bullmqPath()];
  const all: StartTurn[] = [];
  const tables: Table[] = [];
  const bars: Bar[] = [];
  for (const { rate, limit } of RATES) {
    const turns = await interleaved(bench, paths, (path, round) =>
      takeStartTurn(bench, path, round, rate, core),
    );
    const summaries = paths.map((path) => summaryOf(turns, path));
    tables.push(tableOf(rate, summaries));
    bars.push({
      requirement: 'P-5',
      what: `202 to start of the handler at ${numberText(rate)}/s, p99`,
      measured: summaryOf(turns, sluice).fromAccepted.p99,
      limit,
      is: 'below',
      unit: ' ms',
    });
    all.push(...turns);
  }
  const notes = [NOTE, core === undefined ? SHARED_CORES : OWN_CORE, ...disturbances(all)];
  return { tables, notes, bars, turns: all.map(withoutHistograms) };
}

const NOTE =
  'A handler that starts before the sender has read that its task was accepted counts as 0 ms from accepted.';
const OWN_CORE = 'The load generator has the last core for itself; everything else shares the others.';
const SHARED_CORES =
  'The load generator shares the cores with everything else, and makes it wait: it could not be given one of its own.';

interface StartTurn extends Turn {
  rate: number;
  /** Part of the tasks whose handler started before the sender knew that they were accepted. */
  startedBefore: number;
  accepted99: number;
  fromAccepted: RecordableHistogram;
  fromDue: RecordableHistogram;
  /** How late the generator was itself. */
  lags: RecordableHistogram;
}

/** @throws BenchFault when a task was not accepted, or accepted and never started */
export async function takeStartTurn(
  bench: Bench,
  path: TaskPath,
  round: number,
  rate: number,
  core: number | undefined,
): Promise<StartTurn> {
  const { persistent, processes, seconds, warmUpSeconds, connections } = bench.options;
  const numbered = Math.round(rate * warmUpSeconds) + Math.round(rate * seconds);
  return bench.running.use(
    () => path.start({ persistent, processes, numbered }),
    async (running) => {
      const others = new OtherPrograms();
      others.cores();
      const load = { ratePerSecond: rate, warmUpSeconds, seconds, connections: connections[0] ?? 64, core };
      const times = await running.load(load);
      const otherCores = others.cores();
      const startedAt = await allStarted(path, running, numbered);
      const waits = waitsOf(times, startedAt, Math.round(rate * warmUpSeconds));
      const fromAccepted = histogramOf(waits.fromAccepted.map((wait) => Math.round(wait * 1000)));
      const fromDue = histogramOf(waits.fromDue.map((wait) => Math.round(wait * 1000)));
      const lags = histogramOf(waits.lags.map((lag) => Math.round(lag * 1000)));
      const before = waits.fromAccepted.filter((wait) => wait <= 0).length;
      const accepted = waits.fromAccepted.length;
      const accepted99 = latencyOf(fromAccepted).p99;
      bench.progress(
        `round ${round}, ${numberText(rate)} tasks/s, ${path.name}: p99 ${ms(accepted99)} from accepted, ` +
          `${ms(latencyOf(fromDue).p99)} from due`,
      );
      const figures = { accepted, startedBefore: before / accepted, accepted99, fromAccepted, fromDue, lags };
      const costs = { cpuPer100k: undefined, otherCores, redisVersion: undefined };
      return { peer: path.name, round, rate, ...figures, ...costs };
    },
  );
}

const LOOK_EVERY_MS = 20;
/** Looks for tasks that have not been started after the load: five seconds. */
const LOOKS_AT_MOST = 250;

async function allStarted(
  path: TaskPath,
  running: RunningTaskPath,
  tasks: number,
): Promise<readonly number[]> {
  for (let looks = 0; ; looks++) {
    const { startedAt } = await running.runs();
    const missing = tasks - startedAt.filter((at) => at > 0).length;
    if (missing === 0) return startedAt;
    if (looks === LOOKS_AT_MOST) {
      throw new BenchFault(`${path.name}: lost ${missing} of ${tasks} tasks: accepted, and never started`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Milliseconds that each measured task waited for its handler. */
function waitsOf(
  { dueAt, seenAt, acceptedAt }: LoadTimes,
  startedAt: readonly number[],
  firstMeasured: number,
) {
  const since = (times: Float64Array): number[] =>
    startedAt.slice(firstMeasured).map((at, n) => at - (times[firstMeasured + n] ?? Number.NaN));
  const lags = Array.from(seenAt, (at, n) => at - (dueAt[n] ?? Number.NaN)).slice(firstMeasured);
  return { fromAccepted: since(acceptedAt), fromDue: since(dueAt), lags };
}

interface Summary {
  path: string;
  /** Of all tasks of all rounds together. */
  fromAccepted: Latency;
  fromDue: Latency;
  lag: Latency;
  p99OfRounds: ReturnType<typeof spreadOf>;
  startedBefore: number;
}

function summaryOf(turns: readonly StartTurn[], path: TaskPath): Summary {
  const own = turns.filter(({ peer }) => peer === path.name);
  return {
    path: path.name,
    fromAccepted: latencyOf(merged(own.map(({ fromAccepted }) => fromAccepted))),
    fromDue: latencyOf(merged(own.map(({ fromDue }) => fromDue))),
    lag: latencyOf(merged(own.map(({ lags }) => lags))),
    p99OfRounds: spreadOf(own.map(({ accepted99 }) => accepted99)),
    startedBefore: spreadOf(own.map(({ startedBefore }) => startedBefore)).median,
  };
}

function tableOf(rate: number, summaries: readonly Summary[]): Table {
  return {
    title: `${numberText(rate)} tasks/s, ms until the handler starts, all rounds together`,
    columns: [
      ...['', 'from accepted: p50', 'p99', 'p99.9', 'max', 'p99 by round', 'started before'],
      ...['from due: p50', 'p99', 'p99.9', 'generator late: p99'],
    ],
    rows: summaries.map(({ path, fromAccepted, fromDue, lag, p99OfRounds, startedBefore }) => [
      path,
      ...[fromAccepted.p50, fromAccepted.p99, fromAccepted.p999].map((wait) => numberText(wait, 3)),
      numberText(fromAccepted.max, 1),
      spreadText(p99OfRounds, 2),
      `${numberText(startedBefore * 100)} %`,
      ...[fromDue.p50, fromDue.p99, fromDue.p999, lag.p99].map((wait) => numberText(wait, 3)),
    ]),
  };
}

function withoutHistograms({ fromAccepted, fromDue, lags, ...turn }: StartTurn): object {
  const latencies = { fromAccepted, fromDue, lag: lags };
  return {
    ...turn,
    ...Object.fromEntries(Object.entries(latencies).map(([name, one]) => [name, latencyOf(one)])),
  };
}

function ms(milliseconds: number): string {
  return `${numberText(milliseconds, 3)} ms`;
}
