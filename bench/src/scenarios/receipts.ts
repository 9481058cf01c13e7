import { loopTable, ratioOf, summaryOf } from '../closed-loop-summary.js';
import { type ClosedLoopLoad, takeClosedLoopTurn } from '../closed-loop-turn.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Peer } from '../peers/peer.js';
import { spreadText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

/**
 * What does each receipt cost: `received`, `appended`, `replicated`, asked for by `Prefer` or the default? `fsynced`
 * needs a server with WAITAOF (Redis 7.2) and is measured by nobody yet.
 */
export const receipts: Scenario = {
  name: 'receipts',
  question: 'What does each level of acknowledgement cost?',
  requirements: ['U-1', 'I-6'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const { persistent, processes, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const engineOf = (name: string, replica: boolean): Peer =>
      enginePeer({ name, ackMode: 'appended', persistent, processes, replica });
    const asking = (level: string): ClosedLoopLoad => ({
      connections,
      headers: { Prefer: `ack=${level}` },
    });
    const bare = barePeer();
    const byDefault = engineOf('engine, nothing asked', false);
    const loads = new Map<Peer, ClosedLoopLoad>([
      [bare, { connections }],
      [byDefault, { connections }],
      [engineOf('engine, ack=received asked', false), asking('received')],
      [engineOf('engine, ack=appended asked', false), asking('appended')],
      [engineOf('engine with a replica, nothing asked', true), { connections }],
      [engineOf('engine with a replica, ack=replicated', true), asking('replicated')],
    ]);
    const turns = await interleaved(bench, [...loads], ([peer, load], round) =>
      takeClosedLoopTurn(bench, peer, round, load),
    );
    const rows = [...loads.keys()].map((peer) => ({
      summary: summaryOf(turns, peer, bare),
      cells: [spreadText(ratioOf(turns, peer, byDefault), 2)],
    }));
    const tables = [loopTable(`${connections} connections`, rows, ['of nothing asked'])];
    const notes = [
      'The replica shares the cores, and its CPU time is nobody’s here.',
      ...disturbances(turns),
    ];
    return { tables, notes, bars: [], turns };
  },
};
