import { Queue } from 'bullmq';
import { DATA } from '../load/body.js';
import type { TaskQueue } from './consumer-peer.js';
import { connect, versionOf } from './stream-queue.js';

export const QUEUE = 'bench';

/** What Sluice does by default: three attempts, exponential back-off from a second on. */
export const JOB_OPTIONS = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } };

const CHUNK = 1000;

export async function openBullmqQueue(redisUrl: string): Promise<TaskQueue> {
  const redis = await connect(redisUrl);
  const queue = new Queue(QUEUE, { connection: redis, skipVersionCheck: true });
  return {
    redisVersion: await versionOf(redis),
    async prefill(tasks) {
      for (let added = 0; added < tasks; added += CHUNK) {
        const job = { name: 'task', data: DATA, opts: JOB_OPTIONS };
        await queue.addBulk(Array.from({ length: Math.min(CHUNK, tasks - added) }, () => job));
      }
    },
    async books() {
      const counts = await queue.getJobCounts();
      const { completed: done = 0, failed: dead = 0, ...unsettled } = counts;
      return { left: Object.values(unsettled).reduce((sum, count) => sum + count, 0), done, dead };
    },
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
