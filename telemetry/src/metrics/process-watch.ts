import { DELAY_SECONDS } from './buckets.js';
import type { ProcessFigures } from './engine-figures.js';
import { HistogramTable } from './histogram-table.js';

const LOOK_EVERY_MS = 20;

/**
 * Watches by how much the event loop of its thread is late. Not `monitorEventLoopDelay`: its histogram gives percentiles
 * only, and those of several processes cannot be merged.
 *
 * @param memory where the delays are counted from `byteOffset` on: shared, for a worker thread
 * @returns the histogram, of one row, and what ends the watch
 */
export function watchEventLoop(
  memory?: SharedArrayBuffer,
  byteOffset?: number,
): { delays: HistogramTable; stop: () => void } {
  const delays = new HistogramTable(DELAY_SECONDS, 1, memory, byteOffset);
  let due = performance.now() + LOOK_EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    // A timer that fires within its millisecond is on time.
    delays.record(0, Math.max(0, now - due) / 1000);
    due = now + LOOK_EVERY_MS;
  }, LOOK_EVERY_MS);
  timer.unref();
  return { delays, stop: () => clearInterval(timer) };
}

/** What this process takes of its machine. */
export function processFigures(delays: HistogramTable): ProcessFigures {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    residentMemory: rss,
    heapUsed,
    cpuUser: user / 1e6,
    cpuSystem: system / 1e6,
    eventLoopDelay: delays.copyOf(0),
  };
}
