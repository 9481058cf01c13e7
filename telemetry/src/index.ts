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
export { createLogger, type Log, type Logger, openLog } from './log.js';
export { errorMessagesOf, type LogOptions, logOptions } from './log-options.js';
export type { LokiCounters } from './loki/loki-shipper.js';
export * from './metrics/index.js';
