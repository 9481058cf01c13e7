import type { SpanOrigin } from './request-span.js';
import type { SpanCounts } from './span-counts.js';
import { type RingMemory, ringMemory } from './span-ring.js';
import { type SpansDropped, SpanThread } from './span-thread.js';
import { TASK_RECORD_BYTES } from './task-records.js';
import type { SpanDestination } from './trace-options.js';

export interface TaskTracesOptions {
  destination: SpanDestination;
  source: SpanOrigin;
  /** Worker threads: each has a ring. */
  threads: number;
  onDropped: (dropped: SpansDropped) => void;
  onError: (error: unknown) => void;
}

/** Records that wait at most, for each thread: 5 MiB. */
const RECORDS = 16_384;

/** The spans of a consumer process: its worker threads write records, and another thread does all the rest. */
export class TaskTraces {
  /** Memory for the records of each worker thread. */
  readonly rings: readonly RingMemory[];
  private readonly thread: SpanThread<SpanOrigin>;

  constructor({ threads, ...options }: TaskTracesOptions) {
    this.rings = Array.from({ length: threads }, () => ringMemory(RECORDS, TASK_RECORD_BYTES));
    const module = new URL('./task-span-thread.js', import.meta.url);
    this.thread = new SpanThread({ ...options, module, rings: this.rings });
  }

  get counts(): SpanCounts {
    return this.thread.counts;
  }

  /** Delivers what there is; resolves within little more than so many milliseconds, delivered or not. */
  stop(withinMs: number): Promise<void> {
    return this.thread.stop(withinMs);
  }
}
