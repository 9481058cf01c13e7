import { loopTable, summaryOf } from '../closed-loop-summary.js';
import { takeClosedLoopTurn } from '../closed-loop-turn.js';
import { BODY } from '../load/body.js';
import type { ClosedLoopGenerator } from '../load/closed-loop.js';
import { webSockets } from '../load/websocket.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import type { Peer } from '../peers/peer.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

const TASKS = 100;
const BATCH = `[${Array.from({ length: TASKS }, () => BODY).join(',')}]`;

interface Way {
  peer: Peer;
  generator: ClosedLoopGenerator;
  body: string;
  path: string;
  tasksOfRequest: number;
}

/**
 * Would tasks over a WebSocket be worth it? A server that answers each message and does nothing else is the most there
 * could be; the same tasks by the hundred over HTTP are what there is.
 */
export const websocket: Scenario = {
  name: 'websocket',
  question: 'What could an intake over WebSockets do that batches over HTTP cannot?',
  requirements: ['P-7'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const { persistent, processes, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const bare = barePeer();
    const one = { body: BODY, path: '', tasksOfRequest: 1 };
    const many = { body: BATCH, path: '/batch', tasksOfRequest: TASKS };
    const named = (name: string): Peer => ({ ...barePeer(), name });
    const engine = { ackMode: 'appended', persistent, processes } as const;
    const ways: Way[] = [
      { ...one, peer: bare, generator: bench.generator },
      { ...one, peer: named('bare, WebSocket, one under way'), generator: webSockets(1) },
      { ...one, peer: named(`bare, WebSocket, ${TASKS} under way`), generator: webSockets(TASKS) },
      { ...many, peer: named(`bare, batches of ${TASKS}`), generator: bench.generator },
      { ...one, peer: enginePeer(engine), generator: bench.generator },
      {
        ...many,
        peer: enginePeer({ ...engine, name: `engine, batches of ${TASKS}` }),
        generator: bench.generator,
      },
    ];
    const turns = await interleaved(bench, ways, ({ peer, generator, ...load }, round) =>
      takeClosedLoopTurn({ ...bench, generator }, peer, round, { ...load, connections }),
    );
    const rows = ways.map(({ peer }) => ({ summary: summaryOf(turns, peer, bare) }));
    const tables = [loopTable(`${connections} connections; ms of a request or a window of messages`, rows)];
    return { tables, notes: disturbances(turns), bars: [], turns };
  },
};
