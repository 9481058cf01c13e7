import { SPAN_DROP_REASONS, type SpanCounts } from '../traces/span-counts.js';
import { DELAY_SECONDS } from './buckets.js';
import type { ProcessFigures } from './engine-figures.js';
import { Exposition } from './exposition.js';
import { HistogramTable } from './histogram-table.js';
import { PROCESS_METRICS } from './process-metrics.js';

/** Which part a process plays. */
export type ProcessRole = 'primary' | 'engine' | 'consumers';

/** What several processes take of their machine together; those that have ended count with what they used. */
export function sumOfProcesses(
  alive: readonly ProcessFigures[],
  ended?: ProcessFigures | undefined,
): ProcessFigures {
  const all = ended === undefined ? alive : [...alive, ended];
  const sum = (figure: 'cpuUser' | 'cpuSystem'): number => all.reduce((total, one) => total + one[figure], 0);
  const delays = new HistogramTable(DELAY_SECONDS, 1);
  for (const { eventLoopDelay } of all) delays.add(0, eventLoopDelay);
  return {
    residentMemory: alive.reduce((total, { residentMemory }) => total + residentMemory, 0),
    heapUsed: alive.reduce((total, { heapUsed }) => total + heapUsed, 0),
    cpuUser: sum('cpuUser'),
    cpuSystem: sum('cpuSystem'),
    eventLoopDelay: delays.copyOf(0),
  };
}

/** Writes what the processes of one role take of their machine. */
export function exposeProcesses(to: Exposition, role: ProcessRole, figures: ProcessFigures): void {
  const { residentMemory, heapUsed, cpu, eventLoopDelay } = PROCESS_METRICS;
  to.add(residentMemory, { role }, figures.residentMemory);
  to.add(heapUsed, { role }, figures.heapUsed);
  to.add(cpu, { role, mode: 'user' }, figures.cpuUser);
  to.add(cpu, { role, mode: 'system' }, figures.cpuSystem);
  to.addHistogram(eventLoopDelay, { role }, figures.eventLoopDelay);
}

/** Writes what became of the spans of a program. */
export function exposeSpans(
  to: Exposition,
  { exported, dropped }: { exported: number; dropped: Partial<SpanCounts['dropped']> },
): void {
  to.add(PROCESS_METRICS.spans, {}, exported);
  for (const reason of SPAN_DROP_REASONS) {
    to.add(PROCESS_METRICS.spansDropped, { reason }, dropped[reason] ?? 0);
  }
}

/** Writes which version of a program runs. */
export function exposeVersion(to: Exposition, version: string): void {
  to.add(PROCESS_METRICS.info, { version, node: process.version }, 1);
}

/** What of its telemetry a program could not deliver so far. */
export interface DroppedTelemetry {
  /** Packets. */
  readonly statsd: number;
  /** Lines of the log. */
  readonly loki: number;
  /** Errors. */
  readonly sentry: number;
}

/** Writes what telemetry could not deliver. */
export function exposeDropped(to: Exposition, { statsd, loki, sentry }: DroppedTelemetry): void {
  to.add(PROCESS_METRICS.telemetryDropped, { sink: 'statsd' }, statsd);
  to.add(PROCESS_METRICS.telemetryDropped, { sink: 'loki' }, loki);
  to.add(PROCESS_METRICS.telemetryDropped, { sink: 'sentry' }, sentry);
}

/** The same as a page of its own, to go behind another that does not have it. */
export function droppedText(dropped: DroppedTelemetry): string {
  const to = new Exposition();
  exposeDropped(to, dropped);
  return to.text;
}
