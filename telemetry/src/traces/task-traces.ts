import { createRequire } from 'node:module';
import { SluiceError } from '@sluice/contract';
import type { SpanCounts } from './span-counts.js';
import { type RingMemory, ringMemory } from './span-ring.js';
import { type SpansDropped, SpanThread } from './span-thread.js';
import { TASK_RECORD_BYTES } from './task-records.js';
import type { SpanDestination } from './trace-options.js';

/** What is the same in all spans of a consumer process. */
export interface TaskSpanSource {
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: { readonly name: string; readonly version: string };
}

export interface TaskTracesOptions {
  destination: SpanDestination;
  source: TaskSpanSource;
  /** Worker threads: each has a ring. */
  threads: number;
  onDropped: (dropped: SpansDropped) => void;
  onError: (error: unknown) => void;
}

/** Records that wait at most, for each thread: 5 MiB. */
const RECORDS = 16_384;

const PACKAGES = ['@opentelemetry/api', '@opentelemetry/resources', '@opentelemetry/sdk-trace-node'];
const EXPORTERS = {
  otlp: '@opentelemetry/exporter-trace-otlp-proto',
  jaeger: '@opentelemetry/exporter-jaeger',
} as const;

/** The spans of a consumer process: its worker threads write records, and another thread does all the rest. */
export class TaskTraces {
  /** Memory for the records of each worker thread. */
  readonly rings: readonly RingMemory[];
  private readonly thread: SpanThread<TaskSpanSource>;

  /** @throws SluiceError `INVALID_OPTIONS` when a package is missing that the spans need */
  constructor({ threads, ...options }: TaskTracesOptions) {
    checkInstalled([...PACKAGES, EXPORTERS[options.destination.protocol]]);
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

function checkInstalled(packages: readonly string[]): void {
  const { resolve } = createRequire(import.meta.url);
  const missing = packages.filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  throw new SluiceError(
    'INVALID_OPTIONS',
    `spans are to be sent, and for that these packages have to be installed: ${missing.join(', ')}`,
  );
}
