import type { SpanFaults, SpanReport } from './span-account.js';

/** What a run should have brought, and what became of its spans. */
export interface SpanBalance {
  /** Requests that were answered. */
  answers: number;
  /** Tasks that were accepted. */
  accepted: number;
  /** Writes to Redis, as the engine counts them. */
  writes: number;
  /** Spans that the engine or the consumer says it has dropped. */
  dropped: number;
  /** What the receiver has. */
  received: SpanReport;
}

const SAID: Readonly<Record<keyof SpanFaults, string>> = {
  repeated: 'came twice',
  strayTasks: 'tasks have a parent that is no request',
  otherTrace: 'spans are in another trace than what they belong to',
  otherTask: 'tasks have the request of another task as their parent',
  tasksMissing: 'tasks have no span',
  writesMissing: 'requests name a write that did not come',
  linksMissing: 'requests have no write that links to them',
  linksWrong: 'links of writes lead to another request',
  sizesWrong: 'writes have another number of tasks than name them',
};

/** Spans that are due: one for each request, each write, and each run of a task. */
export function dueSpans({ answers, writes, accepted }: Omit<SpanBalance, 'dropped' | 'received'>): number {
  return answers + writes + accepted;
}

/** What is wrong with the spans of a run, all of it; undefined when each one that was due has come and is where it belongs. */
export function faultOfSpans({ dropped, received, ...due }: SpanBalance): string | undefined {
  const { answers, writes, accepted } = due;
  const wrong: string[] = [];
  const compare = (what: string, came: number, expected: number): void => {
    if (came !== expected) wrong.push(`${came} of ${expected} ${what} came`);
  };
  compare('api_request_span', received.requests, answers);
  compare('redis_operations_span', received.writes, writes);
  compare('task_processing_span', received.tasks, accepted);
  if (received.others > 0) wrong.push(`${received.others} spans of other names came`);
  for (const [fault, said] of Object.entries(SAID)) {
    const count = received.faults[fault as keyof SpanFaults]; // SAID has those keys and no others
    if (count > 0) wrong.push(`${count} ${said}`);
  }
  if (dropped > 0) wrong.push(`${dropped} were counted as dropped`);
  return wrong.length === 0 ? undefined : wrong.join('; ');
}
