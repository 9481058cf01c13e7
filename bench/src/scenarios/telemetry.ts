import type { Bar } from '../bars.js';
import { loopTable, ratioOf, summaryOf } from '../closed-loop-summary.js';
import { takeLookedAtTurn } from '../looked-at-turn.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import { tracedEnginePeer } from '../peers/traced-engine.js';
import { numberText, spreadText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { spreadOf } from '../statistics.js';
import { disturbances, interleaved } from '../turn.js';

/**
 * What does it cost to trace every request and to send all metrics and log lines? The receiver does nothing with them, but it
 * has no core of its own either.
 */
export const telemetry: Scenario = {
  name: 'telemetry',
  question: 'What do metrics, logs and a trace of every request cost?',
  requirements: ['P-6'],
  defaults: { rounds: 5, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const { persistent, processes, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const engine = { ackMode: 'appended', persistent, processes } as const;
    const bare = barePeer();
    const off = enginePeer({ ...engine, name: 'engine, telemetry off' });
    const on = tracedEnginePeer({ ...engine, name: 'engine, all on' });
    const peers = [bare, off, on];
    const turns = await interleaved(bench, peers, (peer, round) =>
      takeLookedAtTurn(bench, peer, round, connections),
    );
    const rows = peers.map((peer) => {
      const delays = turns.filter((turn) => turn.peer === peer.name).map((turn) => turn.loopDelay99);
      const delay = numberText(spreadOf(delays).median, 1);
      return {
        summary: summaryOf(turns, peer, bare),
        cells: [spreadText(ratioOf(turns, peer, off), 2), delay],
      };
    });
    const bar: Bar = {
      requirement: 'P-6',
      what: 'tasks/s with all telemetry on and every request traced',
      measured: ratioOf(turns, on, off).median,
      limit: 0.85,
      is: 'at least',
      unit: ' of off',
    };
    const columns = ['of off', 'event-loop delay p99 ms'];
    const tables = [loopTable(`${connections} connections`, rows, columns)];
    return { tables, notes: disturbances(turns), bars: [bar], turns };
  },
};
