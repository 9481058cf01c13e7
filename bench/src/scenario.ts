import type { Bar } from './bars.js';
import type { ClosedLoopGenerator } from './load/closed-loop.js';
import type { BenchOptions } from './options.js';
import type { Running } from './running.js';

/** One question, and how it is answered. */
export interface Scenario {
  readonly name: string;
  readonly question: string;
  /** What of the specification it measures. */
  readonly requirements: readonly string[];
  /** Where the command line says nothing; without it the defaults of the options hold. */
  readonly defaults?: Partial<Pick<BenchOptions, 'rounds' | 'seconds' | 'warmUpSeconds' | 'connections'>>;
  /** @throws BenchFault when its figures cannot be trusted */
  run(bench: Bench): Promise<Findings>;
}

/** What every scenario is given. */
export interface Bench {
  readonly options: BenchOptions;
  readonly generator: ClosedLoopGenerator;
  readonly running: Running;
  /** Told what goes on, a line at a time. */
  readonly progress: (line: string) => void;
  /** Tasks/s of the engine with ack=appended in the closed loop, by connections, as far as it was measured. */
  readonly saturation: Map<number, number>;
}

/** What a scenario found. */
export interface Findings {
  tables: readonly Table[];
  /** What a reader must know to judge the figures. */
  notes: readonly string[];
  bars: readonly Bar[];
  /** Every turn of every server, for the results file. */
  turns: readonly object[];
}

export interface Table {
  title: string;
  /** The first column is text, all others are figures. */
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}
