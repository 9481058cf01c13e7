import { Worker } from 'node:worker_threads';
import {
  noSpans,
  SharedSpanCounts,
  SPAN_DROP_REASONS,
  type SpanCounts,
  type SpanDropReason,
} from './span-counts.js';
import { type RingMemory, RingReader } from './span-ring.js';
import type { SpanDestination } from './trace-options.js';

/** What a thread that exports spans is started with. */
export interface SpanThreadSetup<Source> {
  readonly rings: readonly RingMemory[];
  readonly counts: SharedArrayBuffer;
  readonly destination: SpanDestination;
  readonly source: Source;
}

/** What it is told: deliver what there is within so many milliseconds, and end. */
export interface StopSpans {
  readonly type: 'stop';
  readonly withinMs: number;
}

/** Spans were dropped since the last report. */
export interface SpansDropped {
  readonly count: number;
  readonly reasons: Partial<Record<SpanDropReason, number>>;
}

export interface SpanThreadOptions<Source> {
  /** The module that the thread runs. */
  module: URL;
  rings: readonly RingMemory[];
  destination: SpanDestination;
  source: Source;
  /** Told at most once a minute. */
  onDropped: (dropped: SpansDropped) => void;
  onError: (error: unknown) => void;
}

const LOOK_EVERY_MS = 1000;
const REPORT_EVERY_MS = 60_000;
const RESTART_AFTER_MS = 1000;
/** Beyond the time it was given, for a thread that does not end. */
const STOP_GRACE_MS = 500;

/**
 * The thread that makes spans of what is in the rings and sends them. Should it die, another goes on where it was: the
 * rings are there still. The process does not stay for it.
 */
export class SpanThread<Source> {
  private readonly shared = new SharedSpanCounts();
  private readonly readers: readonly RingReader[];
  private readonly timer: NodeJS.Timeout;
  /** Undefined after it has died, until there is another. */
  private worker: Worker | undefined;
  private stopping = false;
  private reported = noSpans();
  private reportedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: SpanThreadOptions<Source>) {
    this.readers = options.rings.map((memory) => new RingReader(memory));
    this.worker = this.start();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  /** Spans since the start. */
  get counts(): SpanCounts {
    const counts = this.shared.read();
    for (const { dropped } of this.readers) counts.dropped['ring-full'] += dropped;
    return counts;
  }

  /** Delivers what is in the rings, and ends; resolves within little more than the time given, delivered or not. */
  async stop(withinMs: number): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    clearInterval(this.timer);
    if (this.worker !== undefined) await end(this.worker, withinMs);
    for (const reader of this.readers) this.shared.made(reader.waiting);
    this.shared.giveUp('shutdown');
    this.report();
  }

  private start(): Worker {
    const { module, rings, destination, source, onError } = this.options;
    const setup: SpanThreadSetup<Source> = { rings, destination, source, counts: this.shared.buffer };
    // What the exporters of OpenTelemetry would read of the environment by themselves is not for a library to have.
    const worker = new Worker(module, { name: 'sluice-spans', workerData: setup, env: {} });
    worker.unref();
    worker.on('error', onError);
    worker.once('exit', () => {
      this.worker = undefined;
      if (this.stopping) return;
      this.shared.giveUp('thread-died');
      const timer = setTimeout(() => {
        if (!this.stopping) this.worker = this.start();
      }, RESTART_AFTER_MS);
      timer.unref();
    });
    return worker;
  }

  private look(): void {
    if (performance.now() - this.reportedAt >= REPORT_EVERY_MS) this.report();
  }

  private report(): void {
    const counts = this.counts;
    const reasons: Partial<Record<SpanDropReason, number>> = {};
    let count = 0;
    for (const reason of SPAN_DROP_REASONS) {
      const since = counts.dropped[reason] - this.reported.dropped[reason];
      if (since <= 0) continue;
      reasons[reason] = since;
      count += since;
    }
    if (count === 0) return;
    this.reported = counts;
    this.reportedAt = performance.now();
    this.options.onDropped({ count, reasons });
  }
}

async function end(worker: Worker, withinMs: number): Promise<void> {
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.ref();
  worker.postMessage({ type: 'stop', withinMs } satisfies StopSpans);
  const limit = setTimeout(() => void worker.terminate(), withinMs + STOP_GRACE_MS);
  await ended;
  clearTimeout(limit);
}
