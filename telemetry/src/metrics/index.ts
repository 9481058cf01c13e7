export { DELAY_SECONDS, REQUEST_SECONDS, TASK_SECONDS, WAIT_SECONDS } from './buckets.js';
export { METRIC_GROUPS } from './catalogue.js';
export { CONSUMER_METRICS } from './consumer-metrics.js';
export type { EngineFigures, ProcessFigures, RequestFigures } from './engine-figures.js';
export { ENGINE_METRICS } from './engine-metrics.js';
export { Exposition, METRICS_CONTENT_TYPE } from './exposition.js';
export { bytesOfHistograms, countOf, HistogramTable } from './histogram-table.js';
export {
  type DroppedTelemetry,
  droppedText,
  exposeDropped,
  exposeProcesses,
  exposeSpans,
  exposeVersion,
  sumOfProcesses,
} from './process-exposition.js';
export { PROCESS_METRICS } from './process-metrics.js';
export { processFigures, watchEventLoop } from './process-watch.js';
export { QUEUE_METRICS } from './queue-metrics.js';
export { STATSD_NAMES } from './statsd-names.js';
export { statsdOptions } from './statsd-options.js';
export { openStatsd, type StatsdFigures, type StatsdSink } from './statsd-sink.js';
export type { PerTask, TaskResourceFigures } from './task-resource-figures.js';
