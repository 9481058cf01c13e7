import type { Bar } from '../bars.js';
import { BODY } from '../load/body.js';
import type { Latency } from '../load/latency.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Peer } from '../peers/peer.js';
import { numberText, spreadText } from '../report.js';
import type { Bench, Scenario, Table } from '../scenario.js';
import { type Spread, spreadOf } from '../statistics.js';
import { disturbances, interleaved, refuseFailures, type Turn, withCost } from '../turn.js';

/** How many tasks/s can be accepted, by as many connections as there are, each sending as soon as it is answered? */
export const saturation: Scenario = {
  name: 'saturation',
  question: 'How many tasks/s does POST /tasks accept, beside a server that does nothing?',
  requirements: ['P-1'],
  async run(bench) {
    const { persistent, processes, connections } = bench.options;
    const bare = barePeer();
    const appended = enginePeer({ ackMode: 'appended', persistent, processes });
    const received = enginePeer({ ackMode: 'received', persistent, processes });
    const peers = [bare, appended, received];
    const all: SaturationTurn[] = [];
    const tables: Table[] = [];
    const bars: Bar[] = [];
    for (const count of connections) {
      const turns = await interleaved(bench, peers, (peer, round) => takeTurn(bench, peer, round, count));
      const summaries = peers.map((peer) => summaryOf(turns, peer, bare));
      tables.push(tableOf(count, summaries));
      const engine = summaryOf(turns, appended, bare);
      bars.push(...barsOf(count, engine, summaryOf(turns, bare, bare)));
      bench.saturation.set(count, engine.tasksPerSecond.median);
      all.push(...turns);
    }
    return { tables, notes: disturbances(all), bars, turns: all };
  },
};

interface SaturationTurn extends Turn {
  connections: number;
  tasksPerSecond: number;
  latency: Latency;
}

/** @throws BenchFault when an answer is not 202, or a 202 not in the stream */
export async function takeTurn(
  bench: Bench,
  peer: Peer,
  round: number,
  connections: number,
): Promise<SaturationTurn> {
  const { generator, options, running } = bench;
  return running.use(
    () => peer.start(),
    async (server) => {
      const load = (seconds: number) => generator.run({ url: server.url, body: BODY, connections, seconds });
      const warmUp = await load(options.warmUpSeconds);
      const { result, cost } = await withCost(server, () => load(options.seconds));
      refuseFailures(peer, server, warmUp.failed + result.failed);
      // Each of the two loads ends with up to one request per connection under way.
      await server.verify(warmUp.accepted + result.accepted, 2 * connections);
      const { accepted, latency } = result;
      const tasksPerSecond = accepted / result.seconds;
      bench.progress(
        `round ${round}, ${connections} connections, ${peer.name}: ${numberText(tasksPerSecond)} tasks/s`,
      );
      const { redisVersion } = server;
      return {
        peer: peer.name,
        round,
        connections,
        accepted,
        tasksPerSecond,
        latency,
        ...cost,
        redisVersion,
      };
    },
  );
}

interface Summary {
  peer: string;
  tasksPerSecond: Spread;
  /** Of the bare server in the same round: what slows a round down slows both. */
  ofBare: Spread;
  p50: Spread;
  p99: Spread;
  serverCpu: number;
  redisCpu: number;
}

function summaryOf(turns: readonly SaturationTurn[], peer: Peer, reference: Peer): Summary {
  const own = turns.filter((turn) => turn.peer === peer.name);
  const bareOf = (round: number): number =>
    turns.find((turn) => turn.peer === reference.name && turn.round === round)?.tasksPerSecond ?? Number.NaN;
  return {
    peer: peer.name,
    tasksPerSecond: spreadOf(own.map((turn) => turn.tasksPerSecond)),
    ofBare: spreadOf(own.map((turn) => turn.tasksPerSecond / bareOf(turn.round))),
    p50: spreadOf(own.map((turn) => turn.latency.p50)),
    p99: spreadOf(own.map((turn) => turn.latency.p99)),
    serverCpu: spreadOf(own.map((turn) => turn.cpuPer100k?.server ?? Number.NaN)).median,
    redisCpu: spreadOf(own.map((turn) => turn.cpuPer100k?.redis ?? Number.NaN)).median,
  };
}

function tableOf(connections: number, summaries: readonly Summary[]): Table {
  return {
    title: `${connections} connections: median round (lowest–highest)`,
    columns: ['', 'tasks/s', 'of bare', 'p50 ms', 'p99 ms', 'CPU s per 100,000: server', 'Redis'],
    rows: summaries.map(({ peer, tasksPerSecond, ofBare, p50, p99, serverCpu, redisCpu }) => [
      peer,
      spreadText(tasksPerSecond),
      spreadText(ofBare, 2),
      numberText(p50.median, 2),
      numberText(p99.median, 2),
      cpuText(serverCpu),
      cpuText(redisCpu),
    ]),
  };
}

/** CPU seconds, or nothing where they are not known or there are none. */
export function cpuText(seconds: number): string {
  return Number.isNaN(seconds) ? '-' : numberText(seconds, 2);
}

function barsOf(connections: number, engine: Summary, bare: Summary): Bar[] {
  const what = `tasks/s at ${connections} connections, ack=appended`;
  const throughput = { what, measured: engine.ofBare.median, is: 'at least', unit: ' of bare' } as const;
  if (connections === 8) return [{ ...throughput, requirement: 'P-1', limit: 0.5 }];
  if (connections !== 64) return [];
  const bars: Bar[] = [
    { ...throughput, requirement: 'first step of P-1', limit: 0.5 },
    { ...throughput, requirement: 'P-1', limit: 0.75 },
  ];
  if (Number.isNaN(engine.serverCpu)) return bars;
  const at = `at ${connections} connections`;
  bars.push(
    {
      requirement: 'P-1',
      what: `server CPU per task ${at}`,
      measured: engine.serverCpu / bare.serverCpu,
      limit: 1.25,
      is: 'at most',
      unit: ' of bare',
    },
    {
      requirement: 'P-1',
      what: `Redis CPU per 100,000 tasks ${at}`,
      measured: engine.redisCpu,
      limit: 0.2,
      is: 'at most',
      unit: ' s',
    },
  );
  return bars;
}
