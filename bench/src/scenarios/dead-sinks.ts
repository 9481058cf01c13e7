import type { Bar } from '../bars.js';
import { loopTable, ratioOf, summaryOf } from '../closed-loop-summary.js';
import { takeLookedAtTurn } from '../looked-at-turn.js';
import { barePeer } from '../peers/bare.js';
import { tracedEnginePeer } from '../peers/traced-engine.js';
import { numberText, spreadText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { spreadOf } from '../statistics.js';
import { disturbances, interleaved } from '../turn.js';

/** What an engine may lose of its tasks/s by others being away. */
const LEAST = 0.97;
const MOST_GROWTH_MIB = 64;

/** What happens to the intake when those are away to whom spans, figures and log lines are sent? */
export const deadSinks: Scenario = {
  name: 'dead-sinks',
  question: 'What do StatsD, Loki and the collector of spans cost when they are away, or hang?',
  requirements: ['O-1', 'O-3', 'O-4'],
  defaults: { rounds: 5, seconds: 5, warmUpSeconds: 2 },
  async run(bench) {
    const { persistent, processes, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const engine = { ackMode: 'appended', persistent, processes } as const;
    const bare = barePeer();
    const alive = tracedEnginePeer({ ...engine, name: 'engine, sinks answer' });
    const dead = [
      tracedEnginePeer({ ...engine, name: 'engine, sinks refuse' }, 'refusing'),
      tracedEnginePeer({ ...engine, name: 'engine, sinks hang' }, 'hanging'),
    ];
    const peers = [bare, alive, ...dead];
    const turns = await interleaved(bench, peers, (peer, round) =>
      takeLookedAtTurn(bench, peer, round, connections),
    );
    const residentOf = ({ name }: { name: string }) =>
      spreadOf(turns.filter(({ peer }) => peer === name).map((turn) => turn.residentMib)).median;
    const rows = peers.map((peer) => ({
      summary: summaryOf(turns, peer, bare),
      cells: [spreadText(ratioOf(turns, peer, alive), 2), numberText(residentOf(peer))],
    }));
    const bars = dead.flatMap((peer): Bar[] => {
      const rate = { what: `tasks/s, ${peer.name}`, measured: ratioOf(turns, peer, alive).median };
      const memory = {
        what: `memory more, ${peer.name}`,
        measured: residentOf(peer) - residentOf(alive),
      };
      return [
        { ...rate, requirement: 'within 3 %', limit: LEAST, is: 'at least', unit: ' of alive' },
        { ...memory, requirement: 'bounded', limit: MOST_GROWTH_MIB, is: 'at most', unit: ' MiB' },
      ];
    });
    const columns = ['of alive', 'resident MiB'];
    return {
      tables: [loopTable(`${connections} connections`, rows, columns)],
      notes: [NOTE, ...disturbances(turns)],
      bars,
      turns,
    };
  },
};

const NOTE =
  'A turn counts only if each request had its span delivered, or, with sinks that are away, if none is said to be delivered ' +
  'and /metrics counts them as dropped.';
