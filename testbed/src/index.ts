export { freePort } from '@sluice/launcher';
export { type Family, parseExposition, type Sample, sampleValue } from './exposition.js';
export { type Answer, type Load, type LoadOptions, startLoad } from './load.js';
export { type LokiLine, type LokiMood, type LokiReceiver, startLokiReceiver } from './loki-receiver.js';
export { type Exit, type RunningProcess, startProcess } from './process.js';
export { pickFrom, seededRandom, seededWholeNumbers } from './random.js';
export type { ReceivedSpan } from './received-span.js';
export { type RedisOptions, type RedisServer, startRedis } from './redis.js';
export { FAULTY_REDIS, type FaultTarget, REDIS_FAULTS, type RedisFault } from './redis-faults.js';
export {
  type SentryEvent,
  type SentryMood,
  type SentryReceiver,
  startSentryReceiver,
} from './sentry-receiver.js';
export {
  type Reception,
  type SpanReceiver,
  type SpanReceiverOptions,
  startSpanReceiver,
} from './span-receiver.js';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
export * as ThriftType from './thrift-types.js';
export { waitFor } from './wait-for.js';
