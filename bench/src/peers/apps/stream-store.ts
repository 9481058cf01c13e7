import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';

const [redisUrl = '', stream = ''] = process.argv.slice(2);
/** With auto-pipelining, the commands of one turn of the event loop go to Redis in one write. */
const redis = new Redis(redisUrl, { enableAutoPipelining: true });

/** Appends a task to the stream; resolves with its id once Redis has confirmed it. */
export async function append(payload: string): Promise<string> {
  const id = randomUUID();
  await redis.xadd(stream, '*', 'task_id', id, 'timestamp', new Date().toISOString(), 'payload', payload);
  return id;
}
