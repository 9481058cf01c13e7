export type { ConsumerCounters, ConsumerEvent, ConsumerListener } from './consumer-events.js';
export { logConsumerEvents } from './consumer-log.js';
export type { EngineCounters, EngineEvent, EngineListener } from './engine-events.js';
export { logEngineEvents } from './engine-log.js';
export { createLogger, type Logger } from './log.js';
