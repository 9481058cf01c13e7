import type { EngineCounters } from '../engine-events.js';

/** The requests of one route since the start of their process. */
export interface RequestFigures {
  readonly route: string;
  readonly taskType: string;
  /** Requests whose client went away before the answer. */
  readonly aborted: number;
  /** By class of status, a row of a `HistogramTable` with the bounds `REQUEST_SECONDS`. */
  readonly durations: Readonly<Record<string, Float64Array>>;
}

/** What one process takes of its machine, since its start. */
export interface ProcessFigures {
  /** Bytes. */
  readonly residentMemory: number;
  readonly heapUsed: number;
  /** Seconds. */
  readonly cpuUser: number;
  readonly cpuSystem: number;
  /** A row of a `HistogramTable` with the bounds `DELAY_SECONDS`. */
  readonly eventLoopDelay: Float64Array;
}

/** What an engine process says of itself. Everything counts from its start, so that a report that is lost costs nothing. */
export interface EngineFigures {
  readonly counters: EngineCounters;
  /** Of the routes that had requests since the last report. */
  readonly requests: readonly RequestFigures[];
  readonly process: ProcessFigures;
}
