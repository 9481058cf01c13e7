export type { ConsumerCounters, ConsumerEvent, ConsumerListener } from './consumer-events.js';
export { logConsumerEvents } from './consumer-log.js';
export {
  type EngineCounters,
  type EngineEvent,
  type EngineListener,
  SHEDDING_REASONS,
  type SheddingReason,
} from './engine-events.js';
export { logEngineEvents } from './engine-log.js';
export { taskError } from './error-fields.js';
export { createLogger, type Log, type Logger, openLog } from './log.js';
export { errorMessagesOf, type LogOptions, logOptions } from './log-options.js';
export type { LokiCounters } from './loki/loki-shipper.js';
export * from './metrics/index.js';
export { claimPort, OpsServer } from './ops-server.js';
export * from './sentry/index.js';
export { continueTrace, RequestRecorder, type SpanName } from './traces/request-records.js';
export { SINGLE_TASK, type SpanRoute, type SpanSource } from './traces/request-span.js';
export { RequestTraces } from './traces/request-traces.js';
export { SpanClock } from './traces/span-clock.js';
export { noSpans, SPAN_DROP_REASONS, type SpanCounts } from './traces/span-counts.js';
export type { RingMemory } from './traces/span-ring.js';
export type { SpansDropped } from './traces/span-thread.js';
export { TaskRecorder } from './traces/task-records.js';
export { TaskTraces } from './traces/task-traces.js';
export {
  type SpanDestination,
  spanDestinationOf,
  traceOptionPairs,
  traceOptions,
} from './traces/trace-options.js';
