import { workerData } from 'node:worker_threads';
import { JaegerTaskEncoder } from './jaeger-task-encoder.js';
import { OtlpTaskEncoder } from './otlp-task-encoder.js';
import type { SpanOrigin } from './request-span.js';
import { exportSpans } from './span-exporter.js';
import type { SpanThreadSetup } from './span-thread.js';
import { TaskSpanReader } from './task-records.js';

// The thread that exports the spans of a consumer process.

const setup = workerData as SpanThreadSetup<SpanOrigin>; // what span-thread.ts passes
const { destination, source } = setup;
const encoder = destination.protocol === 'otlp' ? new OtlpTaskEncoder(source) : new JaegerTaskEncoder(source);
exportSpans(setup, encoder, (ring, to) => new TaskSpanReader(ring, to));
