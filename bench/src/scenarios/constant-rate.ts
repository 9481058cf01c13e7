import type { RecordableHistogram } from 'node:perf_hooks';
import type { Bar } from '../bars.js';
import { takeClosedLoopTurn } from '../closed-loop-turn.js';
import { BODY } from '../load/body.js';
import { runAtConstantRate } from '../load/constant-rate.js';
import { histogramOf, type Latency, latencyOf, merged } from '../load/latency.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Peer } from '../peers/peer.js';
import { cpuText, numberText, spreadText } from '../report.js';
import type { Bench, Scenario, Table } from '../scenario.js';
import { type Spread, spreadOf } from '../statistics.js';
import { calmly, disturbances, interleaved, refuseFailures, type Turn, withCost } from '../turn.js';

/**
 * How long does a 202 take when tasks arrive at a constant rate, whether the server is ready for them or not?
 * Latency counts from when a request was due, at half of what the engine accepts at most.
 */
export const constantRate: Scenario = {
  name: 'constant-rate',
  question: 'How long does a 202 take at a constant arrival rate (no coordinated omission)?',
  requirements: ['P-3'],
  async run(bench) {
    const { persistent, processes } = bench.options;
    const engines = (['appended', 'received'] as const).map((ackMode) =>
      enginePeer({ ackMode, persistent, processes }),
    );
    const peers = [barePeer(), ...engines];
    const all: RateTurn[] = [];
    const tables: Table[] = [];
    const bars: Bar[] = [];
    const notes: string[] = [];
    for (const { rate, load } of await ratesOf(bench)) {
      const turns = await interleaved(bench, peers, (peer, round) => takeTurn(bench, peer, round, rate));
      const summaries = peers.map((peer) => summaryOf(turns, peer));
      tables.push(tableOf(rate, load, summaries));
      bars.push(...barsOf(load, summaries));
      notes.push(...notesOf(rate, summaries), ...disturbances(turns));
      all.push(...turns.map(withoutHistograms));
    }
    return { tables, notes, bars, turns: all };
  },
};

interface RateTurn extends Turn {
  connections: number;
  rate: number;
  unanswered: number;
  latency: Latency;
  /** By how much the generator was late itself. */
  lag: Latency;
}

/** A turn, with what is needed to put it together with others. */
interface MeasuredTurn extends RateTurn {
  latencies: RecordableHistogram;
  lags: RecordableHistogram;
}

interface Rate {
  rate: number;
  /** Part of the saturation rate; undefined when the rate was given. */
  load: number | undefined;
}

async function ratesOf(bench: Bench): Promise<Rate[]> {
  const { rate, loads } = bench.options;
  if (rate > 0) return [{ rate, load: undefined }];
  const saturation = await saturationRate(bench);
  return loads.map((load) => ({ rate: Math.round(saturation * load), load }));
}

/** What the saturation scenario found in this run; if it did not run, what one turn of it finds. */
async function saturationRate(bench: Bench): Promise<number> {
  const connections = connectionsOf(bench);
  const known = bench.saturation.get(connections);
  if (known !== undefined) return known;
  const { persistent, processes } = bench.options;
  const engine = enginePeer({ ackMode: 'appended', persistent, processes });
  const { tasksPerSecond } = await calmly(bench, () => takeClosedLoopTurn(bench, engine, 0, { connections }));
  return tasksPerSecond;
}

function connectionsOf({ options }: Bench): number {
  return options.connections[0] ?? 64;
}

/** Longer than any stall the engine answers by itself: it gives up on Redis after a second. */
const PATIENCE_SECONDS = 5;

async function takeTurn(bench: Bench, peer: Peer, round: number, rate: number): Promise<MeasuredTurn> {
  const { options, running } = bench;
  const { seconds, warmUpSeconds } = options;
  const connections = connectionsOf(bench);
  return running.use(
    () => peer.start(),
    async (server) => {
      const { port, pathname: path } = new URL(server.url);
      const { result, cost } = await withCost(server, async () => {
        const load = { port: Number(port), path, body: BODY, connections, ratePerSecond: rate };
        const times = { warmUpSeconds, seconds, patienceSeconds: PATIENCE_SECONDS };
        const ended = await runAtConstantRate({ ...load, ...times, between: 'naps' });
        return { ...ended, accepted: ended.statuses[202] ?? 0 };
      });
      const { accepted, unanswered } = result;
      const answers = Object.values(result.statuses).reduce((sum, count) => sum + count, 0);
      refuseFailures(peer, server, [{ failed: answers - accepted + result.brokenConnections }]);
      await server.verify(accepted, unanswered);
      const latencies = histogramOf(result.latencies);
      const lags = histogramOf(result.lags);
      const latency = latencyOf(latencies);
      const lag = latencyOf(lags);
      bench.progress(
        `round ${round}, ${numberText(rate)} tasks/s, ${peer.name}: p50 ${ms(latency.p50)}, p99 ${ms(latency.p99)}, ` +
          `generator late by p99 ${ms(lag.p99)}`,
      );
      const figures = { accepted, unanswered, latency, lag, latencies, lags, ...cost };
      return { peer: peer.name, round, connections, rate, ...figures, redisVersion: server.redisVersion };
    },
  );
}

function withoutHistograms({ latencies, lags, ...turn }: MeasuredTurn): RateTurn {
  return turn;
}

function ms(milliseconds: number): string {
  return `${numberText(milliseconds, 3)} ms`;
}

interface Summary {
  peer: string;
  /** Of all requests of all rounds together. */
  latency: Latency;
  lag: Latency;
  /** p99 of the rounds, each by itself. */
  p99OfRounds: Spread;
  unanswered: number;
  serverCpu: number;
  redisCpu: number;
}

function summaryOf(turns: readonly MeasuredTurn[], peer: Peer): Summary {
  const own = turns.filter((turn) => turn.peer === peer.name);
  return {
    peer: peer.name,
    latency: latencyOf(merged(own.map(({ latencies }) => latencies))),
    lag: latencyOf(merged(own.map(({ lags }) => lags))),
    p99OfRounds: spreadOf(own.map(({ latency }) => latency.p99)),
    unanswered: own.reduce((sum, { unanswered }) => sum + unanswered, 0),
    serverCpu: spreadOf(own.map(({ cpuPer100k }) => cpuPer100k?.server ?? Number.NaN)).median,
    redisCpu: spreadOf(own.map(({ cpuPer100k }) => cpuPer100k?.redis ?? Number.NaN)).median,
  };
}

function tableOf(rate: number, load: number | undefined, summaries: readonly Summary[]): Table {
  const part = load === undefined ? '' : ` (${load} of saturation)`;
  return {
    title: `${numberText(rate)} tasks/s${part}, ms from when a task was due, all rounds together`,
    columns: [
      ...['', 'p50', 'p99', 'p99.9', 'max', 'p99 by round', 'generator late: p50', 'p99'],
      ...['CPU s per 100,000: server', 'Redis'],
    ],
    rows: summaries.map(({ peer, latency, lag, p99OfRounds, serverCpu, redisCpu }) => [
      peer,
      numberText(latency.p50, 3),
      numberText(latency.p99, 3),
      numberText(latency.p999, 2),
      numberText(latency.max, 1),
      spreadText(p99OfRounds, 2),
      numberText(lag.p50, 3),
      numberText(lag.p99, 3),
      cpuText(serverCpu),
      cpuText(redisCpu),
    ]),
  };
}

/** Part of the promised p99 that the generator may be late by before the reader is warned. */
const TOLERABLE_LAG_MS = 0.2;

function notesOf(rate: number, summaries: readonly Summary[]): string[] {
  const notes: string[] = [];
  for (const { peer, lag, unanswered } of summaries) {
    if (unanswered > 0) {
      notes.push(
        `${peer}: ${numberText(unanswered)} requests were unanswered at the end: it cannot do ${numberText(rate)}/s`,
      );
    }
    if (lag.p99 > TOLERABLE_LAG_MS) {
      notes.push(
        `${peer}: the generator itself was late by p99 ${ms(lag.p99)}; the machine has no core to spare for it, ` +
          'and the latencies are upper bounds',
      );
    }
  }
  return notes;
}

function barsOf(load: number | undefined, summaries: readonly Summary[]): Bar[] {
  if (load !== 0.5) return [];
  return summaries
    .filter(({ peer }) => peer.startsWith('engine'))
    .map(({ peer, latency }) => ({
      requirement: 'P-3',
      what: `p99 at half of saturation, ${peer}`,
      measured: latency.p99,
      limit: 1,
      is: 'below',
      unit: ' ms',
    }));
}
