export { freePort } from './free-port.js';
export { findRedis, type RedisCommand } from './redis-binary.js';
export type { RedisSearch } from './redis-search.js';
