import {
  type EngineCounters,
  type EngineFigures,
  HistogramTable,
  type ProcessFigures,
  REQUEST_SECONDS,
  type RequestFigures,
  sumOfProcesses,
} from '@sluice/telemetry';
import { newCounters } from './counters.js';

/** Counters of what is held at the moment: of a process that has ended, nothing is. */
const MOMENTARY = ['inFlightRequests', 'inFlightBytes', 'inFlightBatchTasks'] as const;

/** What one process has said last. */
interface Reported {
  counters: EngineCounters;
  process: ProcessFigures | undefined;
  readonly requests: Map<string, RequestFigures>;
}

/** What all engine processes have done together. */
export interface EngineSum {
  readonly counters: EngineCounters;
  readonly process: ProcessFigures;
  readonly requests: readonly RequestFigures[];
}

/**
 * Sums what engine processes report. Nothing that was counted is ever taken back: a process that has ended keeps its part,
 * up to its last report, and a histogram is the sum of histograms.
 */
export class EngineTotals {
  private readonly alive = new Map<object, Reported>();
  private readonly ended: Reported = newReported();

  /** Takes in a report; `from` is the same object for each report of a process. */
  report(from: object, figures: EngineFigures): void {
    const reported = this.alive.get(from) ?? newReported();
    this.alive.set(from, reported);
    reported.counters = figures.counters;
    reported.process = figures.process;
    for (const one of figures.requests) reported.requests.set(keyOf(one), one);
  }

  /** A process has ended. */
  end(from: object): void {
    const reported = this.alive.get(from);
    if (reported === undefined) return;
    this.alive.delete(from);
    for (const name of MOMENTARY) reported.counters[name] = 0;
    addCounters(this.ended.counters, reported.counters);
    for (const one of reported.requests.values()) addRequests(this.ended.requests, one);
    if (reported.process !== undefined) {
      this.ended.process = sumOfProcesses([], sumOfProcesses([reported.process], this.ended.process));
    }
  }

  sum(): EngineSum {
    const counters = newCounters();
    const requests = new Map<string, RequestFigures>();
    for (const reported of [this.ended, ...this.alive.values()]) {
      addCounters(counters, reported.counters);
      for (const one of reported.requests.values()) addRequests(requests, one);
    }
    const processes = [...this.alive.values()].flatMap(({ process }) => process ?? []);
    return {
      counters,
      requests: [...requests.values()],
      process: sumOfProcesses(processes, this.ended.process),
    };
  }
}

function newReported(): Reported {
  return { counters: newCounters(), process: undefined, requests: new Map() };
}

function keyOf({ route, taskType }: RequestFigures): string {
  return `${route} ${taskType}`;
}

function addCounters(to: EngineCounters, from: EngineCounters): void {
  const { refused, shed, spansDropped, ...numbers } = from;
  for (const name of Object.keys(numbers) as (keyof typeof numbers)[]) to[name] += numbers[name]; // its own keys
  addEach(to.refused, refused);
  addEach(to.shed, shed);
  addEach(to.spansDropped, spansDropped);
}

function addEach(to: Partial<Record<string, number>>, from: Partial<Record<string, number>>): void {
  for (const [name, count = 0] of Object.entries(from)) to[name] = (to[name] ?? 0) + count;
}

function addRequests(to: Map<string, RequestFigures>, one: RequestFigures): void {
  const key = keyOf(one);
  const before = to.get(key);
  if (before === undefined) {
    to.set(key, one);
    return;
  }
  const durations = { ...before.durations };
  for (const [status, row] of Object.entries(one.durations)) {
    const table = new HistogramTable(REQUEST_SECONDS, 1);
    table.add(0, row);
    table.add(0, durations[status] ?? new Float64Array(table.width));
    durations[status] = table.copyOf(0);
  }
  to.set(key, { ...one, aborted: before.aborted + one.aborted, durations });
}
