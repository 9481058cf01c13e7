import { CONSUMER_METRICS } from './consumer-metrics.js';
import { ENGINE_METRICS } from './engine-metrics.js';
import type { MetricDefinition } from './metric.js';
import { PROCESS_METRICS } from './process-metrics.js';
import { QUEUE_METRICS } from './queue-metrics.js';

/** Metrics that are served together, and a sentence on them. */
export interface MetricGroup {
  readonly heading: string;
  readonly about: string;
  readonly metrics: Readonly<Record<string, MetricDefinition>>;
}

/** Every metric of Sluice by its name for Prometheus: dashboards, alerts and docs/metrics.md are held to this list. */
export const METRIC_GROUPS: readonly MetricGroup[] = [
  {
    heading: 'Engine',
    about: 'Served by the engine. Summed over its processes; a process that died keeps its part.',
    metrics: ENGINE_METRICS,
  },
  {
    heading: 'Queue',
    about:
      'Served by the engine, of each stream it appends to. Every replica says the same: take the maximum, not the sum.',
    metrics: QUEUE_METRICS,
  },
  {
    heading: 'Consumers',
    about: 'Served by each consumer process. Summed over its worker threads.',
    metrics: CONSUMER_METRICS,
  },
  {
    heading: 'Processes and telemetry',
    about: 'Served by both.',
    metrics: PROCESS_METRICS,
  },
];
