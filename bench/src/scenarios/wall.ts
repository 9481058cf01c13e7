import { type ClosedLoopSummary, loopTable, summaryOf } from '../closed-loop-summary.js';
import { takeClosedLoopTurn } from '../closed-loop-turn.js';
import { barePeer } from '../peers/bare.js';
import { enginePeer } from '../peers/engine.js';
import { storedStepPeer, unstoredStepPeer } from '../peers/steps.js';
import { numberText } from '../report.js';
import type { Scenario } from '../scenario.js';
import { disturbances, interleaved } from '../turn.js';

/** What is the difference between a server that does nothing and the engine made of? Each row does a little more. */
export const wall: Scenario = {
  name: 'wall',
  question: 'What is made of what a task costs the engine and not a server that does nothing?',
  requirements: ['P-1'],
  defaults: { rounds: 5, seconds: 3, warmUpSeconds: 2 },
  async run(bench) {
    const { persistent, connections: ofLoop } = bench.options;
    const connections = ofLoop[0] ?? 64;
    const bare = barePeer();
    const peers = [
      bare,
      unstoredStepPeer('and reads all header lines', 'heads'),
      unstoredStepPeer('and answers in a later turn', 'later'),
      storedStepPeer('and stores it, unseen, first', persistent),
      enginePeer({ name: 'engine, ack=appended', ackMode: 'appended', persistent, processes: 1 }),
    ];
    const turns = await interleaved(bench, peers, (peer, round) =>
      takeClosedLoopTurn(bench, peer, round, { connections }),
    );
    const summaries = peers.map((peer) => summaryOf(turns, peer, bare));
    const rows = summaries.map((summary, i) => ({ summary, cells: [moreThan(summaries[i - 1], summary)] }));
    return {
      tables: [loopTable(`${connections} connections`, rows, ['server CPU more by'])],
      notes: [NOTE, ...disturbances(turns)],
      bars: [],
      turns,
    };
  },
};

const NOTE =
  'The last but one is the least that a server can do on uWebSockets.js and node:net which answers when Redis has the ' +
  'task: its commands are always the same, it checks nothing, counts nothing and bounds nothing.';

function moreThan(before: ClosedLoopSummary | undefined, { serverCpu }: ClosedLoopSummary): string {
  return before === undefined ? '-' : `${numberText(serverCpu - before.serverCpu, 2)} s`;
}
