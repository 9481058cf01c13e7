import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { JOB_OPTIONS } from '../bullmq-queue.js';

const [redisUrl = '', name = ''] = process.argv.slice(2);
const queue = new Queue(name, { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) });

/** Adds a job; resolves with its id once Redis has confirmed it. */
export async function add(data: unknown): Promise<string> {
  const { id } = await queue.add('task', data, JOB_OPTIONS);
  return id ?? '';
}
