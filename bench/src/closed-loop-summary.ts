import type { ClosedLoopTurn } from './closed-loop-turn.js';
import type { Peer } from './peers/peer.js';
import { cpuText, numberText, spreadText } from './report.js';
import type { Table } from './scenario.js';
import { type Spread, spreadOf } from './statistics.js';

/** The turns of a peer together. Percentiles are the median of the rounds: the generator tells no more of a round. */
export interface ClosedLoopSummary {
  peer: string;
  tasksPerSecond: Spread;
  /** Of the bare server in the same round: what slows a round down slows both. */
  ofBare: Spread;
  p50: number;
  p99: number;
  p999: number;
  /** CPU seconds per 100,000 tasks; NaN where they are not known. */
  serverCpu: number;
  redisCpu: number;
}

export function summaryOf(turns: readonly ClosedLoopTurn[], peer: Peer, bare: Peer): ClosedLoopSummary {
  const own = turns.filter((turn) => turn.peer === peer.name);
  const medianOf = (figure: (turn: ClosedLoopTurn) => number | undefined): number =>
    spreadOf(own.map((turn) => figure(turn) ?? Number.NaN)).median;
  return {
    peer: peer.name,
    tasksPerSecond: spreadOf(own.map((turn) => turn.tasksPerSecond)),
    ofBare: ratioOf(turns, peer, bare),
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

/** A row of a table: a summary, and what only this table has to say of it. */
export interface LoopRow {
  summary: ClosedLoopSummary;
  /** @default the name of the peer */
  label?: string;
  cells?: readonly string[];
}

/** A table of closed loops; `columns` are those that only this one has. */
export function loopTable(title: string, rows: readonly LoopRow[], columns: readonly string[] = []): Table {
  return {
    title: `${title}: median round (lowest–highest)`,
    columns: ['', 'tasks/s', 'of bare', ...columns, 'p50 ms', 'p99 ms', 'p99.9 ms', ...CPU_COLUMNS],
    rows: rows.map(({ summary, label = summary.peer, cells = [] }) => [
      label,
      spreadText(summary.tasksPerSecond),
      spreadText(summary.ofBare, 2),
      ...cells,
      ...[summary.p50, summary.p99, summary.p999].map((ms) => numberText(ms, 2)),
      cpuText(summary.serverCpu),
      cpuText(summary.redisCpu),
    ]),
  };
}

const CPU_COLUMNS = ['CPU s per 100,000: server', 'Redis'];
