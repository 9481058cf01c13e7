import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { RedisHealth } from '../admission/append-breakers.js';

/** Body of `GET /health`. */
export interface Health {
  status: 'healthy' | 'unhealthy';
  timestamp: string;
  redis_connected: boolean;
  version: string;
  redis: RedisHealth;
}

/** Share of its memory at which a process counts as unhealthy. */
const MEMORY_BOUND = 0.9;
const MEMORY_LOOK_EVERY_MS = 500;

/**
 * The health of this process: unhealthy while Redis is gone, or more than 90 % of its memory is in use. A Redis that is
 * there and refuses tasks is stated, and not held against the process: without requests nobody would see it take them again.
 */
export function healthOf(redisConnected: boolean, redis: RedisHealth, version: string): Health {
  return {
    status: redisConnected && memoryShare() <= MEMORY_BOUND ? 'healthy' : 'unhealthy',
    timestamp: new Date().toISOString(),
    redis_connected: redisConnected,
    version,
    redis,
  };
}

let share = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

/** Used share of the memory this process may use: of its container or machine, and of its JavaScript heap. */
function memoryShare(): number {
  // Looked up at most twice a second, so that a busy health check costs nothing.
  if (performance.now() - lookedAt < MEMORY_LOOK_EVERY_MS) return share;
  lookedAt = performance.now();
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const heap = getHeapStatistics();
  share = Math.max(process.memoryUsage.rss() / limit, heap.used_heap_size / heap.heap_size_limit);
  return share;
}
