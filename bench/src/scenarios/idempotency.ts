import { loopTable, ratioOf, summaryOf } from '../closed-loop-summary.js';
import { type ClosedLoopLoad, takeClosedLoopTurn } from '../closed-loop-turn.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Peer } from '../peers/peer.js';
import { spreadText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

/** What does an `Idempotency-Key` cost that no request before it had? Both servers are sent the same headers. */
export const idempotency: Scenario = {
  name: 'idempotency',
  question: 'What does an Idempotency-Key on every request cost?',
  requirements: ['I-9'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const { persistent, processes, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const engineOf = (name: string): Peer => enginePeer({ name, ackMode: 'appended', persistent, processes });
    const withKeys: ClosedLoopLoad = { connections, idempotencyKeys: true };
    const bare = barePeer();
    const without = engineOf('engine, no keys');
    const loads = new Map<Peer, ClosedLoopLoad>([
      [bare, withKeys],
      [without, { connections }],
      [engineOf('engine, a new key each'), withKeys],
    ]);
    const turns = await interleaved(bench, [...loads], ([peer, load], round) =>
      takeClosedLoopTurn(bench, peer, round, load),
    );
    const rows = [...loads.keys()].map((peer) => ({
      summary: summaryOf(turns, peer, bare),
      cells: [spreadText(ratioOf(turns, peer, without), 2)],
    }));
    const tables = [loopTable(`${connections} connections`, rows, ['of no keys'])];
    return { tables, notes: disturbances(turns), bars: [], turns };
  },
};
