// Adds jobs at a constant rate, as the argument asks, and sends LoadTimes over IPC. See open-loop-process.ts.
import { constants, setPriority } from 'node:os';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { monotonicMs } from '../monotonic.js';
import { JOB_OPTIONS, QUEUE } from '../peers/bullmq-queue.js';
import { Arrivals } from './arrivals.js';
import { numberedData } from './body.js';
import type { LoadTimes } from './open-loop.js';

export interface BullmqLoadOptions {
  redisUrl: string;
  ratePerSecond: number;
  warmUpSeconds: number;
  seconds: number;
}

const LEAD_MS = 20;

process.on('disconnect', () => process.exit(1)); // nobody is left to tell
setPriority(constants.priority.PRIORITY_LOW); // it polls, as the generator of the engine does
const options = JSON.parse(process.argv[2] ?? '') as BullmqLoadOptions; // constant-rate.ts
process.send?.(await run(options), () => process.exit());

async function run({
  redisUrl,
  ratePerSecond,
  warmUpSeconds,
  seconds,
}: BullmqLoadOptions): Promise<LoadTimes> {
  const queue = new Queue(QUEUE, { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) });
  await queue.waitUntilReady();
  const arrivals = new Arrivals(monotonicMs() + LEAD_MS, ratePerSecond, warmUpSeconds, seconds);
  const { total } = arrivals;
  const dueAt = Float64Array.from({ length: total }, (_, n) => arrivals.dueAt(n));
  const seenAt = new Float64Array(total);
  const acceptedAt = new Float64Array(total).fill(Number.NaN);
  const adding: Promise<void>[] = [];
  while (adding.length < total) {
    const n = adding.length;
    const now = monotonicMs();
    if (now >= arrivals.dueAt(n)) {
      seenAt[n] = now;
      const added = queue.add('task', numberedData(n), JOB_OPTIONS);
      adding.push(
        added.then(() => {
          acceptedAt[n] = monotonicMs();
        }),
      );
    } else await new Promise(setImmediate);
  }
  await Promise.all(adding);
  return { dueAt, seenAt, acceptedAt };
}
