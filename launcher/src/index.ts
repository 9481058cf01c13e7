export { findRedis, type RedisCommand, type RedisSearch } from './redis-binary.js';
