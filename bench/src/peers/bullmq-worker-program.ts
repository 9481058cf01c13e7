// BullMQ's Worker with what it promises by default: locks, their renewal, stalled jobs found and run again.
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUE } from './bullmq-queue.js';
import { RunTally } from './run-tally.js';

interface Setup {
  redisUrl: string;
  useWorkerThreads: boolean;
  concurrency: number;
  numbered: number;
}

const { redisUrl, useWorkerThreads, concurrency, numbered } = JSON.parse(process.argv[2] ?? '') as Setup; // bullmq-worker.ts

const tally = RunTally.create(numbered);
tally.answerQuestions();
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(1));

const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
const processor = useWorkerThreads
  ? new URL('./bullmq-processor.js', import.meta.url)
  : async ({ data }: { data: unknown }) => tally.run(data);
const worker = new Worker(QUEUE, processor, { connection, concurrency, useWorkerThreads });
worker.on('error', (error) => console.error(error));
await worker.waitUntilReady();
process.send?.({ type: 'ready' });
