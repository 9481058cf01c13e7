import { MESSAGE_FIELDS } from '@sluice/contract';
import type { Redis } from 'ioredis';
import type { Work } from './work.js';

const CHUNK = 500;

/** The id of task number n when it does not come in by HTTP. */
export function taskIdOf(n: number): string {
  return `task-${n}`;
}

/** Appends tasks as the engine does, and returns their entry ids in the same order. */
export async function appendTasks(redis: Redis, stream: string, tasks: readonly Work[]): Promise<string[]> {
  const entryIds: string[] = [];
  for (let i = 0; i < tasks.length; i += CHUNK) {
    const pipeline = redis.pipeline();
    for (const task of tasks.slice(i, i + CHUNK)) pipeline.xadd(stream, '*', ...fieldsOf(task));
    for (const [error, id] of (await pipeline.exec()) ?? []) {
      if (error !== null) throw error;
      entryIds.push(String(id));
    }
  }
  return entryIds;
}

function fieldsOf(work: Work): string[] {
  const message: Record<string, string> = {
    task_id: taskIdOf(work.n),
    timestamp: new Date().toISOString(),
    type: 'default',
    content_type: 'application/json',
    payload: JSON.stringify({ data: work }),
    trace_context: '',
  };
  return MESSAGE_FIELDS.flatMap((name) => [name, message[name] ?? '']);
}
