import { RECORD_BYTES, RequestRecorder } from './request-records.js';
import type { SpanSource } from './request-span.js';
import { SpanClock } from './span-clock.js';
import type { SpanCounts } from './span-counts.js';
import { ringMemory } from './span-ring.js';
import { type SpansDropped, SpanThread } from './span-thread.js';
import type { SpanDestination } from './trace-options.js';

export interface RequestTracesOptions {
  destination: SpanDestination;
  source: SpanSource;
  onDropped: (dropped: SpansDropped) => void;
  onError: (error: unknown) => void;
}

/** Records that wait at most: 9 MiB, or half a second of 100,000 requests. */
const RECORDS = 65_536;

/** The spans of an engine process: the request path writes records, and a thread does all the rest. */
export class RequestTraces {
  readonly recorder: RequestRecorder;
  readonly clock = new SpanClock();
  private readonly thread: SpanThread<SpanSource>;

  constructor(options: RequestTracesOptions) {
    const memory = ringMemory(RECORDS, RECORD_BYTES);
    this.recorder = new RequestRecorder(memory);
    const module = new URL('./request-span-thread.js', import.meta.url);
    this.thread = new SpanThread({ ...options, module, rings: [memory] });
  }

  get counts(): SpanCounts {
    return this.thread.counts;
  }

  /** Delivers what there is; resolves within little more than so many milliseconds, delivered or not. */
  async stop(withinMs: number): Promise<void> {
    this.clock.stop();
    await this.thread.stop(withinMs);
  }
}
