import type { Bar } from '../bars.js';
import { loopTable, ratioOf, summaryOf } from '../closed-loop-summary.js';
import { type ClosedLoopLoad, takeClosedLoopTurn } from '../closed-loop-turn.js';
import { BODY } from '../load/body.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import { numberText, spreadText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

const TASKS = 100;
const BATCH = `[${Array.from({ length: TASKS }, () => BODY).join(',')}]`;

/** How many tasks/s when they come by the hundred, as a JSON array? The bare server reads the same arrays. */
export const batch: Scenario = {
  name: 'batch',
  question: 'How many tasks/s does POST /tasks/batch accept, a hundred at a time?',
  requirements: ['P-7'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const { persistent, processes, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const batches: ClosedLoopLoad = { connections, body: BATCH, path: '/batch', tasksOfRequest: TASKS };
    const engine = { ackMode: 'appended', persistent, processes } as const;
    const bare = barePeer();
    const byBatch = enginePeer({ ...engine, name: `engine, batches of ${TASKS}` });
    const oneByOne = enginePeer({ ...engine, name: 'engine, one by one' });
    const loads = new Map([
      [bare, batches],
      [byBatch, batches],
      [oneByOne, { connections }],
    ]);
    const turns = await interleaved(bench, [...loads], ([peer, load], round) =>
      takeClosedLoopTurn(bench, peer, round, load),
    );
    const rows = [...loads.keys()].map((peer) => ({
      summary: summaryOf(turns, peer, bare),
      cells: [spreadText(ratioOf(turns, peer, oneByOne), 2)],
    }));
    const bar: Bar = {
      requirement: 'P-7',
      what: 'tasks/s in batches of 100',
      measured: summaryOf(turns, byBatch, bare).tasksPerSecond.median,
      limit: 400_000,
      is: 'at least',
      unit: '',
    };
    return {
      tables: [loopTable(`${connections} connections; ms of a request`, rows, ['of one by one'])],
      notes: [`A batch has ${numberText(Buffer.byteLength(BATCH))} bytes.`, ...disturbances(turns)],
      bars: [bar],
      turns,
    };
  },
};
