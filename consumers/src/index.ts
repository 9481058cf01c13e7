export type { ConsumerCounters, ConsumerEvent, ConsumerListener } from '@sluice/telemetry';
export { type Consumer, type ConsumerOptions, createConsumer } from './consumer.js';
export type { CronSchedule } from './cron-schedules.js';
export { RetryAfter, Unrecoverable } from './errors.js';
export {
  defineHandler,
  type Handler,
  type HandlerContext,
  type HandlerFunction,
  type Task,
} from './handler.js';
export type { HandlerBreaker, HandlerPolicy } from './handler-policy.js';
export { consumerOptions } from './options.js';
export type { RateLimit } from './rate-limit.js';
