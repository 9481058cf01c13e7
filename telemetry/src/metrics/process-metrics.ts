import { DELAY_SECONDS } from './buckets.js';
import type { MetricDefinition } from './metric.js';

/** What every program of Sluice says of its processes and of its own telemetry. `role` is primary, engine or consumers. */
export const PROCESS_METRICS = {
  eventLoopDelay: {
    name: 'sluice_event_loop_delay_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'By how much a timer was late, 50 times a second in each process and thread.',
    labels: ['role'],
    buckets: DELAY_SECONDS,
  },
  residentMemory: {
    name: 'sluice_resident_memory_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Memory that the processes hold (RSS), summed.',
    labels: ['role'],
  },
  heapUsed: {
    name: 'sluice_heap_used_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'JavaScript heap in use, summed over processes.',
    labels: ['role'],
  },
  cpu: {
    name: 'sluice_cpu_seconds_total',
    type: 'counter',
    unit: 'seconds',
    help: 'CPU time of the processes, summed; mode is user or system.',
    labels: ['role', 'mode'],
  },
  info: {
    name: 'sluice_build_info',
    type: 'gauge',
    unit: '1',
    help: 'Always 1; its labels say what runs.',
    labels: ['version', 'node'],
  },
  telemetryDropped: {
    name: 'sluice_telemetry_dropped_total',
    type: 'counter',
    unit: '1',
    help: 'What telemetry could not deliver, by where it should have gone: packets to statsd, lines of the log to loki, errors to sentry.',
    labels: ['sink'],
  },
  spans: {
    name: 'sluice_spans_exported_total',
    type: 'counter',
    unit: '1',
    help: 'Spans that were delivered.',
    labels: [],
  },
  spansDropped: {
    name: 'sluice_spans_dropped_total',
    type: 'counter',
    unit: '1',
    help: 'Spans that were due and not delivered, by reason: ring-full, unreachable, rejected, shutdown, thread-died.',
    labels: ['reason'],
  },
} as const satisfies Record<string, MetricDefinition>;
