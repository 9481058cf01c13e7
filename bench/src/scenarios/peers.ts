import type { Bar } from '../bars.js';
import { loopTable, ratioOf, summaryOf } from '../closed-loop-summary.js';
import { takeClosedLoopTurn } from '../closed-loop-turn.js';
import { barePeer } from '../peers/bare.js';
import { findBun } from '../peers/bun.js';
import { enginePeer } from '../peers/engine.js';
import type { FoundPeer } from '../peers/found-peer.js';
import {
  expressBullmqPeer,
  fastifyBullmqPeer,
  fastifyIoredisPeer,
  httpIoredisPeer,
} from '../peers/node-apps.js';
import type { Peer } from '../peers/peer.js';
import { findFastapi, findStarlette } from '../peers/python.js';
import { findWebdis } from '../peers/webdis.js';
import { spreadText } from '../report.js';
import type { Scenario } from '../scenario.js';
import type { Spread } from '../statistics.js';
import { disturbances, interleaved } from '../turn.js';

/** What a user would pick instead, with how many times as fast P-2 wants Sluice to be. */
interface Rival {
  found: FoundPeer;
  limit?: number;
}

/**
 * How much faster is it than what one would write oneself? Everybody answers only when Redis has confirmed the task, and
 * everybody's books are checked.
 */
export const peers: Scenario = {
  name: 'peers',
  question: 'How many tasks/s do others accept that store each task before they answer?',
  requirements: ['P-2'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 2 },
  async run(bench) {
    const {
      persistent,
      connections: [connections = 64],
    } = bench.options;
    const bare = barePeer();
    const engine = enginePeer({ name: 'Sluice', ackMode: 'appended', persistent, processes: 1 });
    const rivals = await rivalsOf(persistent);
    const others = rivals.flatMap(({ found, limit }) =>
      'peer' in found ? [{ peer: found.peer, limit }] : [],
    );
    const missing = rivals.flatMap(({ found }) => ('missing' in found ? [`skipped: ${found.missing}`] : []));
    for (const line of missing) bench.progress(line);
    const everybody = [bare, engine, ...others.map(({ peer }) => peer)];
    const turns = await interleaved(bench, everybody, (peer, round) =>
      takeClosedLoopTurn(bench, peer, round, { connections }),
    );
    const rows = everybody.map((peer) => ({
      summary: summaryOf(turns, peer, bare),
      cells: [spreadText(ratioOf(turns, engine, peer), 2)],
    }));
    const title = `one process each, ${connections} connections`;
    return {
      tables: [loopTable(title, rows, ['Sluice is, times'])],
      notes: [madeOf(everybody), ...missing, ...disturbances(turns)],
      bars: others.flatMap(({ peer, limit }) =>
        limit === undefined ? [] : [barOf(peer, ratioOf(turns, engine, peer), limit)],
      ),
      turns,
    };
  },
};

async function rivalsOf(persistent: boolean): Promise<Rival[]> {
  return [
    { found: await findBun(persistent), limit: 1.9 },
    { found: await findWebdis(persistent), limit: 1.7 },
    { found: { peer: httpIoredisPeer(persistent) } },
    { found: { peer: fastifyIoredisPeer(persistent) }, limit: 3 },
    { found: { peer: fastifyBullmqPeer(persistent) }, limit: 4.5 },
    { found: { peer: expressBullmqPeer(persistent) } },
    { found: await findStarlette(persistent), limit: 13 },
    { found: await findFastapi(persistent), limit: 18 },
  ];
}

function madeOf(everybody: readonly Peer[]): string {
  const parts = everybody.flatMap((peer) => (peer.madeOf === undefined ? [] : peer.madeOf.split(', ')));
  return `Versions: ${[...new Set(parts)].join(', ')}. webdis has two threads, validates nothing, and answers 200.`;
}

function barOf({ name }: Peer, sluiceIs: Spread, limit: number): Bar {
  const what = `tasks/s beside ${name}`;
  return { requirement: 'P-2', what, measured: sluiceIs.median, limit, is: 'at least', unit: ' times' };
}
