import { type LoopRow, loopTable, summaryOf } from '../closed-loop-summary.js';
import { type ClosedLoopTurn, takeClosedLoopTurn } from '../closed-loop-turn.js';
import { bodyOfSize, readWebhooks } from '../load/webhook-bodies.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import { numberText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

const SIZES = [200, 2000, 30_000];
/** Of a stream while a load runs: with bodies of 30 KB its default length would be gigabytes. */
const STREAM_BYTES = 256 * 1024 * 1024;
const STREAM_ENTRIES = 100_000;

/** What does a task cost that is ten or a hundred times as large? */
export const payloads: Scenario = {
  name: 'payloads',
  question: 'What do larger bodies cost?',
  requirements: ['P-1'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const { persistent, processes, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const webhooks = await readWebhooks();
    const all: ClosedLoopTurn[] = [];
    const rows: LoopRow[] = [];
    const notes: string[] = [];
    for (const size of SIZES) {
      const { name, body } = bodyOfSize(size, webhooks);
      const bytes = Buffer.byteLength(body);
      notes.push(`${numberText(bytes)} bytes: ${name}`);
      const bare = barePeer();
      const keptEntries = Math.min(STREAM_ENTRIES, Math.floor(STREAM_BYTES / bytes));
      const peers = [bare, enginePeer({ ackMode: 'appended', persistent, processes, keptEntries })];
      const turns = await interleaved(bench, peers, (peer, round) =>
        takeClosedLoopTurn(bench, peer, round, { connections, body }),
      );
      for (const peer of peers) {
        const summary = summaryOf(turns, peer, bare);
        const megabytes = (summary.tasksPerSecond.median * bytes) / 1_000_000;
        const label = `${numberText(bytes)} bytes, ${peer.name}`;
        rows.push({ label, summary, cells: [numberText(megabytes)] });
      }
      all.push(...turns.map((turn) => ({ ...turn, bytes })));
    }
    const tables = [loopTable(`${connections} connections`, rows, ['MB/s'])];
    return { tables, notes: [...notes, ...disturbances(all)], bars: [], turns: all };
  },
};
