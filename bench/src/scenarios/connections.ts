import { type LoopRow, loopTable, summaryOf } from '../closed-loop-summary.js';
import { type ClosedLoopTurn, takeClosedLoopTurn } from '../closed-loop-turn.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

/** What do few connections leave unused, and what do many cost? */
export const connections: Scenario = {
  name: 'connections',
  question: 'What becomes of throughput and latency with few and with many connections?',
  requirements: ['P-1', 'P-3'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1, connections: [8, 64, 512] },
  async run(bench) {
    const { persistent, processes } = bench.options;
    const bare = barePeer();
    const peers = [bare, enginePeer({ ackMode: 'appended', persistent, processes })];
    const all: ClosedLoopTurn[] = [];
    const rows: LoopRow[] = [];
    for (const count of bench.options.connections) {
      const turns = await interleaved(bench, peers, (peer, round) =>
        takeClosedLoopTurn(bench, peer, round, { connections: count }),
      );
      for (const peer of peers) {
        rows.push({ label: `${count}, ${peer.name}`, summary: summaryOf(turns, peer, bare) });
      }
      all.push(...turns);
    }
    const tables = [loopTable('by connections', rows)];
    return { tables, notes: disturbances(all), bars: [], turns: all };
  },
};
