import { verifyAdded } from './added-tasks.js';
import { openBullmqQueue } from './bullmq-queue.js';
import type { TaskStore } from './peer-with-redis.js';

/** The BullMQ queue behind an intake under load. It is not cut back: in seconds BullMQ takes in what Redis can hold. */
export async function openJobsWatch(redisUrl: string): Promise<TaskStore> {
  const queue = await openBullmqQueue(redisUrl);
  return {
    redisVersion: queue.redisVersion,
    verify: (accepted, unanswered) =>
      verifyAdded(async () => (await queue.books()).left, accepted, unanswered),
    close: () => void queue.close().catch(() => {}), // its Redis ends at the same time
  };
}
