import {
  countOf,
  ENGINE_METRICS,
  type Exposition,
  exposeProcesses,
  exposeSpans,
  SHEDDING_REASONS,
} from '@sluice/telemetry';
import type { EngineSum } from './engine-totals.js';
import { STATUS_CLASSES } from './request-times.js';

/** Writes what the engine processes have counted. */
export function exposeEngine(to: Exposition, { counters, requests, process: taken }: EngineSum): void {
  const metrics = ENGINE_METRICS;
  for (const { route, taskType: task_type, aborted, durations } of requests) {
    for (const status of STATUS_CLASSES) {
      const row = durations[status];
      to.add(metrics.requests, { route, task_type, status }, row === undefined ? 0 : countOf(row));
      if (row !== undefined) to.addHistogram(metrics.requestDuration, { route, task_type, status }, row);
    }
    to.add(metrics.requests, { route, task_type, status: 'aborted' }, aborted);
  }
  to.add(metrics.accepted, {}, counters.accepted);
  to.add(metrics.replayed, {}, counters.replayed);
  to.add(metrics.appended, {}, counters.appended);
  to.add(metrics.batches, {}, counters.batches);
  for (const [code, count] of Object.entries(counters.refused)) to.add(metrics.refusals, { code }, count);
  exposeSpans(to, { exported: counters.spansExported, dropped: counters.spansDropped });
  for (const reason of SHEDDING_REASONS) to.add(metrics.shed, { reason }, counters.shed[reason] ?? 0);
  to.add(metrics.appendBreakerOpened, {}, counters.breakerOpened);
  to.add(metrics.inFlightRequests, {}, counters.inFlightRequests);
  to.add(metrics.inFlightBytes, {}, counters.inFlightBytes);
  to.add(metrics.inFlightBatchTasks, {}, counters.inFlightBatchTasks);
  exposeProcesses(to, 'engine', taken);
}
