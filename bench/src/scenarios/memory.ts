import type { Bar } from '../bars.js';
import { BenchFault } from '../bench-fault.js';
import { BODY } from '../load/body.js';
import { TASK_EXCHANGE } from '../load/closed-loop.js';
import { bodyOfSize, readWebhooks } from '../load/webhook-bodies.js';
import { enginePeer } from '../peers/engine.js';
import { numberText, spreadText } from '../report.js';
import { type ResidentMemory, withResidentMemory } from '../resident-memory.js';
import type { Bench, Scenario, Table } from '../scenario.js';
import { spreadOf } from '../statistics.js';
import { interleaved, refuseFailures, type Turn } from '../turn.js';

const LARGE_BYTES = 30_000;
/** Of a stream while a load runs. */
const STREAM_BYTES = 256 * 1024 * 1024;
const STREAM_ENTRIES = 100_000;
/** In ten minutes a machine may stand still for longer than a load waits for an answer, which says nothing of memory. */
const TOLERATED_SHARE = 0.001;
/** Growth within half of the measured time that is still called flat. */
const FLAT_MIB = 5;

interface Load {
  name: string;
  body: string;
  connections: number;
  limitMib: number;
}

interface MemoryTurn extends Turn {
  tasksPerSecond: number;
  readyAfterMs: number;
  memory: readonly ResidentMemory[];
  /** Requests that were not accepted. */
  failed: number;
}

/** How much memory does a process hold at saturation, and does it stay that? For P-8: `--seconds 600`. */
export const memory: Scenario = {
  name: 'memory',
  question:
    'How much memory does an engine process hold at saturation, does it grow, and how soon is it ready?',
  requirements: ['P-8'],
  defaults: { rounds: 1, seconds: 60, warmUpSeconds: 5 },
  async run(bench) {
    const large = bodyOfSize(LARGE_BYTES, await readWebhooks()).body;
    const loads: Load[] = [
      { name: '64 connections, 189 bytes', body: BODY, connections: 64, limitMib: 100 },
      {
        ...{ name: `512 connections, ${numberText(Buffer.byteLength(large))} bytes`, body: large },
        ...{ connections: 512, limitMib: 256 },
      },
    ];
    const turns = await interleaved(bench, loads, (load, round) => takeMemoryTurn(bench, load, round));
    const rows = loads.map((load) => rowOf(load, turns));
    return {
      tables: [table(rows)],
      notes: ['Growth: from the lowest of the second quarter of the time to the lowest of the last.'],
      bars: loads.flatMap((load) => barsOf(load, turns)),
      turns,
    };
  },
};

async function takeMemoryTurn(bench: Bench, load: Load, round: number): Promise<MemoryTurn> {
  const { persistent, processes, seconds, warmUpSeconds } = bench.options;
  const { name, body, connections } = load;
  const keptEntries = Math.min(STREAM_ENTRIES, Math.floor(STREAM_BYTES / Buffer.byteLength(body)));
  const peer = enginePeer({ name, ackMode: 'appended', persistent, processes, keptEntries });
  return bench.running.use(
    () => peer.start(),
    async (server) => {
      const { url, pid = 0, readyAfterMs = Number.NaN, redisVersion } = server;
      const run = (runSeconds: number) =>
        bench.generator.run({
          ...{ url, body, connections, exchange: TASK_EXCHANGE, headers: {}, idempotencyKeys: false },
          seconds: runSeconds,
        });
      const warmUp = await run(warmUpSeconds);
      const { result, memory: found } = await withResidentMemory(pid, () => run(seconds));
      if (found.length === 0)
        throw new BenchFault('this system does not tell how much memory a process holds');
      const accepted = warmUp.accepted + result.accepted;
      const most = Math.floor(accepted * TOLERATED_SHARE);
      const failed = refuseFailures(peer, server, [warmUp, result], most);
      // What was not accepted may be stored all the same: it was not answered in time.
      await server.verify(accepted, 2 * connections + failed);
      const tasksPerSecond = result.accepted / result.seconds;
      bench.progress(`round ${round}, ${name}: ${numberText(tasksPerSecond)} tasks/s, ${mostOf(found)} MiB`);
      return {
        ...{
          peer: name,
          round,
          accepted: result.accepted,
          tasksPerSecond,
          readyAfterMs,
          memory: found,
          failed,
        },
        ...{ cpuPer100k: undefined, otherCores: undefined, redisVersion },
      };
    },
  );
}

function mostOf(found: readonly ResidentMemory[]): string {
  return numberText(Math.max(...found.map(({ most }) => most)));
}

function spreadsOf({ name }: Load, turns: readonly MemoryTurn[]) {
  const own = turns.filter(({ peer }) => peer === name);
  const all = own.flatMap((turn) => turn.memory);
  return {
    tasksPerSecond: spreadOf(own.map((turn) => turn.tasksPerSecond)),
    most: spreadOf(own.map((turn) => Math.max(...turn.memory.map(({ most }) => most)))),
    primary: spreadOf(all.filter(({ role }) => role === 'primary').map(({ most }) => most)),
    growth: spreadOf(own.map((turn) => Math.max(...turn.memory.map(({ growth }) => growth)))),
    ready: spreadOf(own.map(({ readyAfterMs }) => readyAfterMs)),
    failed: spreadOf(own.map(({ failed }) => failed)),
  };
}

function rowOf(load: Load, turns: readonly MemoryTurn[]): string[] {
  const { tasksPerSecond, most, primary, growth, ready, failed } = spreadsOf(load, turns);
  return [
    load.name,
    spreadText(tasksPerSecond),
    ...[most, primary, growth].map((spread) => spreadText(spread, 1)),
    spreadText(ready),
    spreadText(failed),
  ];
}

function table(rows: string[][]): Table {
  return {
    title: 'resident memory of the largest process, MiB: median round (lowest–highest)',
    columns: ['', 'tasks/s', 'most', 'most of the primary', 'growth', 'ready after ms', 'not accepted'],
    rows,
  };
}

function barsOf(load: Load, turns: readonly MemoryTurn[]): Bar[] {
  const { most, growth, ready } = spreadsOf(load, turns);
  const common = { requirement: 'P-8', is: 'at most' } as const;
  return [
    { ...common, what: `resident, ${load.name}`, measured: most.max, limit: load.limitMib, unit: ' MiB' },
    { ...common, what: `growth, ${load.name}`, measured: growth.max, limit: FLAT_MIB, unit: ' MiB' },
    { ...common, what: `idle to ready`, measured: ready.median, limit: 1000, unit: ' ms' },
  ];
}
