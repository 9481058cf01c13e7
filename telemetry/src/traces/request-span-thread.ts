import { workerData } from 'node:worker_threads';
import { JaegerEncoder } from './jaeger-encoder.js';
import { OtlpEncoder } from './otlp-encoder.js';
import type { SpanSource } from './request-span.js';
import { RequestSpanReader } from './request-span-reader.js';
import { exportSpans } from './span-exporter.js';
import type { SpanThreadSetup } from './span-thread.js';

// The thread that exports the spans of an engine process.

const setup = workerData as SpanThreadSetup<SpanSource>; // what span-thread.ts passes
const { destination, source } = setup;
const encoder = destination.protocol === 'otlp' ? new OtlpEncoder(source) : new JaegerEncoder(source);
exportSpans(setup, encoder, (ring, to) => new RequestSpanReader(ring, to));
