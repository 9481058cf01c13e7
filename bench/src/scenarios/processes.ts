import { availableParallelism } from 'node:os';
import { loopTable, ratioOf, summaryOf } from '../closed-loop-summary.js';
import { takeClosedLoopTurn } from '../closed-loop-turn.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Peer } from '../peers/peer.js';
import { spreadText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

/** What is a second engine process worth, and a third? Generator and Redis need cores too. */
export const processes: Scenario = {
  name: 'processes',
  question: 'What do more engine processes bring, up to one for each core?',
  requirements: ['P-1'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const { persistent, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const cores = availableParallelism();
    const engineOf = (count: number): Peer =>
      enginePeer({ name: `engine, processes=${count}`, ackMode: 'appended', persistent, processes: count });
    const bare = barePeer();
    const one = engineOf(1);
    const peers = [bare, one, ...countsUpTo(cores).map(engineOf)];
    const turns = await interleaved(bench, peers, (peer, round) =>
      takeClosedLoopTurn(bench, peer, round, { connections }),
    );
    const rows = peers.map((peer) => ({
      summary: summaryOf(turns, peer, bare),
      cells: [spreadText(ratioOf(turns, peer, one), 2)],
    }));
    const title = `${connections} connections, ${cores} cores for generator, server and Redis`;
    const tables = [loopTable(title, rows, ['of one process'])];
    return { tables, notes: disturbances(turns), bars: [], turns };
  },
};

/** 2, 4, 8, … and the number of cores itself. */
function countsUpTo(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 2; count < cores; count *= 2) counts.push(count);
  return cores > 1 ? [...counts, cores] : counts;
}
