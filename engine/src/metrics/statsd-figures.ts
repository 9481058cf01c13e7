import { countOf, HistogramTable, REQUEST_SECONDS, type StatsdFigures } from '@sluice/telemetry';
import type { EngineSum } from './engine-totals.js';

/** What goes to StatsD of an engine: all routes together; errors are answers of the class 5xx. */
export function statsdFiguresOf(
  { requests, process: taken }: EngineSum,
  queueSize: number | undefined,
  breakersOpen: number,
): StatsdFigures {
  const durations = new HistogramTable(REQUEST_SECONDS, 1);
  let errors = 0;
  for (const { durations: byStatus } of requests) {
    for (const [status, row] of Object.entries(byStatus)) {
      durations.add(0, row);
      if (status === '5xx') errors += countOf(row);
    }
  }
  const all = durations.copyOf(0);
  return {
    requests: { count: countOf(all), errors, durations: all },
    queueSize,
    breakersOpen,
    memoryBytes: taken.residentMemory,
    cpuSeconds: taken.cpuUser + taken.cpuSystem,
  };
}
