import { fileURLToPath } from 'node:url';
import { openBullmqQueue } from './bullmq-queue.js';
import type { ConsumerPeer } from './consumer-peer.js';
import { startConsumerProcess } from './consumer-process.js';

const PROGRAM = fileURLToPath(new URL('./bullmq-worker-program.js', import.meta.url));

/**
 * BullMQ's Worker at its best, the processor a function. Of 10, 50, 100, 200 and 500 jobs at once, 100 cost the least
 * CPU time; ioredis' auto-pipelining, RESP3 and removing jobs as they complete changed nothing that could be told.
 */
export function bullmqPeer(): ConsumerPeer {
  return peer('BullMQ', 20_000, { useWorkerThreads: false, concurrency: 100 });
}

/** The same with the processor in worker threads, one for each job at once. Of 1, 2, 4, 8, 16 and 32, 8 did the most. */
export function bullmqThreadsPeer(): ConsumerPeer {
  return peer('BullMQ, worker threads', 8000, { useWorkerThreads: true, concurrency: 8 });
}

function peer(
  name: string,
  expectedPerSecond: number,
  setup: { useWorkerThreads: boolean; concurrency: number },
): ConsumerPeer {
  return {
    name,
    expectedPerSecond,
    openQueue: openBullmqQueue,
    start: (redisUrl, numbered) =>
      startConsumerProcess(name, PROGRAM, {}, [JSON.stringify({ redisUrl, numbered, ...setup })]),
  };
}
