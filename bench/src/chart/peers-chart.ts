import { BenchFault } from '../bench-fault.js';
import { ratioOf } from '../closed-loop-summary.js';
import { numberText } from '../report.js';
import { spreadOf } from '../statistics.js';
import { svgOf } from './bar-chart.js';

/** What the chart needs of a results file. */
export interface ChartedResults {
  at: string;
  cpu: string;
  cores: number;
  node: string;
  generator: string;
  scenarios: readonly { name: string; rounds: number; turns: readonly object[] }[];
}

interface PeersTurn {
  peer: string;
  round: number;
  connections: number;
  tasksPerSecond: number;
  redisVersion?: string;
}

/** Names that the scenario gives its own. */
const BARE = { name: 'bare' };
const OURS = 'Sluice';

/**
 * The chart of the scenario `peers`, as an SVG document: tasks/s beside the bare server, fastest first.
 *
 * @throws BenchFault when it is not among the results
 */
export function peersChart({ at, cpu, cores, node, generator, scenarios }: ChartedResults): string {
  const scenario = scenarios.find(({ name }) => name === 'peers');
  if (scenario === undefined)
    throw new BenchFault('there is nothing to draw: the scenario peers was not run');
  const turns = scenario.turns as PeersTurn[]; // what peers.ts records
  const names = [...new Set(turns.map(({ peer }) => peer))];
  const bars = names.map((name) => {
    const ofBare = ratioOf(turns, { name }, BARE).median;
    const own = turns.filter(({ peer }) => peer === name).map(({ tasksPerSecond }) => tasksPerSecond);
    return {
      name: name === BARE.name ? 'bare, stores nothing' : name,
      value: ofBare,
      label: `${numberText(spreadOf(own).median)}/s (${numberText(ofBare, 2)})`,
      tone: name === BARE.name ? 'reference' : name === OURS ? 'ours' : 'other',
    } as const;
  });
  const redis = turns.find(({ redisVersion }) => redisVersion !== undefined)?.redisVersion ?? 'unknown';
  const connections = turns[0]?.connections ?? 0;
  return svgOf({
    title: 'Tasks accepted over HTTP, each in Redis before its answer; one process each',
    bars: bars.sort((a, b) => b.value - a.value),
    footer: [
      'Tasks/s and, in parentheses, the part of what a bare uWebSockets.js server does in the same round.',
      `Median of rounds: ${scenario.rounds}. Connections: ${connections}. ${cpu}, ${cores} cores for generator, server and Redis.`,
      `Node ${node.replace(/^v/, '')}, Redis ${redis}, ${generator}. ${at.slice(0, 10)}, npm run bench -- peers`,
    ],
  });
}
