import type { Bar } from '../bars.js';
import { type ClosedLoopSummary, loopTable, summaryOf } from '../closed-loop-summary.js';
import { type ClosedLoopTurn, takeClosedLoopTurn } from '../closed-loop-turn.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Scenario, Table } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

/** How many tasks/s can be accepted, by as many connections as there are, each sending as soon as it is answered? */
export const saturation: Scenario = {
  name: 'saturation',
  question: 'How many tasks/s does POST /tasks accept, beside a server that does nothing?',
  requirements: ['P-1'],
  async run(bench) {
    const { persistent, processes } = bench.options;
    const bare = barePeer();
    const appended = enginePeer({ ackMode: 'appended', persistent, processes });
    const received = enginePeer({ ackMode: 'received', persistent, processes });
    const peers = [bare, appended, received];
    const all: ClosedLoopTurn[] = [];
    const tables: Table[] = [];
    const bars: Bar[] = [];
    for (const connections of bench.options.connections) {
      const turns = await interleaved(bench, peers, (peer, round) =>
        takeClosedLoopTurn(bench, peer, round, { connections }),
      );
      const rows = peers.map((peer) => ({ summary: summaryOf(turns, peer, bare) }));
      tables.push(loopTable(`${connections} connections`, rows));
      const engine = summaryOf(turns, appended, bare);
      bars.push(...barsOf(connections, engine, summaryOf(turns, bare, bare)));
      bench.saturation.set(connections, engine.tasksPerSecond.median);
      all.push(...turns);
    }
    return { tables, notes: disturbances(all), bars, turns: all };
  },
};

function barsOf(connections: number, engine: ClosedLoopSummary, bare: ClosedLoopSummary): Bar[] {
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
