export type { ConsumerCounters, ConsumerEvent, ConsumerListener } from '@sluice/telemetry';
export { type Consumer, type ConsumerOptions, createConsumer } from './consumer.js';
export type { CronSchedule } from './cron/cron-schedules.js';
export { RetryAfter, Unrecoverable } from './handlers/errors.js';
export {
  defineHandler,
  type Handler,
  type HandlerContext,
  type HandlerFunction,
  type Task,
} from './handlers/handler.js';
export type { HandlerBreaker, HandlerPolicy } from './handlers/handler-policy.js';
export { consumerOptions } from './options.js';
export type { RateLimit } from './reading/rate-limit.js';
