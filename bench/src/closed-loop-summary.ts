import type { ClosedLoopTurn } from './closed-loop-turn.js';
import type { Peer } from './peers/peer.js';
import { cpuText, numberText, spreadText } from './report.js';
import { type Spread, spreadOf } from './statistics.js';

/** The turns of a peer together. Percentiles are the median of the rounds: the generator tells no more of a round. */
export interface ClosedLoopSummary {
  peer: string;
  tasksPerSecond: Spread;
  /** Of the reference in the same round: what slows a round down slows both. */
  ofReference: Spread;
  p50: number;
  p99: number;
  p999: number;
  /** CPU seconds per 100,000 tasks; NaN where they are not known. */
  serverCpu: number;
  redisCpu: number;
}

export function summaryOf(turns: readonly ClosedLoopTurn[], peer: Peer, reference: Peer): ClosedLoopSummary {
  const own = turns.filter((turn) => turn.peer === peer.name);
  const medianOf = (figure: (turn: ClosedLoopTurn) => number | undefined): number =>
    spreadOf(own.map((turn) => figure(turn) ?? Number.NaN)).median;
  return {
    peer: peer.name,
    tasksPerSecond: spreadOf(own.map((turn) => turn.tasksPerSecond)),
    ofReference: ratioOf(turns, peer, reference),
    p50: medianOf(({ latency }) => latency.p50),
    p99: medianOf(({ latency }) => latency.p99),
    p999: medianOf(({ latency }) => latency.p999),
    serverCpu: medianOf(({ cpuPer100k }) => cpuPer100k?.server),
    redisCpu: medianOf(({ cpuPer100k }) => cpuPer100k?.redis),
  };
}

/** Tasks/s of one peer as multiples of those of another, round by round. */
export function ratioOf(
  turns: readonly Pick<ClosedLoopTurn, 'peer' | 'round' | 'tasksPerSecond'>[],
  peer: { name: string },
  to: { name: string },
): Spread {
  const rateIn = (round: number, name: string): number =>
    turns.find((turn) => turn.peer === name && turn.round === round)?.tasksPerSecond ?? Number.NaN;
  const rounds = new Set(turns.map(({ round }) => round));
  return spreadOf([...rounds].map((round) => rateIn(round, peer.name) / rateIn(round, to.name)));
}

/** What every table of a closed loop shows, a column each. */
export const RATE_COLUMNS = ['tasks/s', 'of bare'];
export const COST_COLUMNS = ['p50 ms', 'p99 ms', 'p99.9 ms', 'CPU s per 100,000: server', 'Redis'];

export function rateCells({ tasksPerSecond, ofReference }: ClosedLoopSummary): string[] {
  return [spreadText(tasksPerSecond), spreadText(ofReference, 2)];
}

export function costCells({ p50, p99, p999, serverCpu, redisCpu }: ClosedLoopSummary): string[] {
  return [...[p50, p99, p999].map((ms) => numberText(ms, 2)), cpuText(serverCpu), cpuText(redisCpu)];
}
