import { parentPort, workerData } from 'node:worker_threads';
import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import { SharedSpanCounts } from './span-counts.js';
import type { SpanThreadSetup, StopSpans } from './span-thread.js';
import { TaskRecordReader, type TaskRun } from './task-records.js';
import type { TaskSpanSource } from './task-traces.js';
import { microsecondsOf } from './wire-writer.js';

// The thread that exports the spans of a consumer process: records of the rings -> SDK -> exporter, all of OpenTelemetry.

const LOOK_EVERY_MS = 50;
/** Spans of a message. */
const SPANS = 1024;
/** A message is sent when it has so many spans, or is so old. */
const OLD_MS = 1000;
const SEND_TIMEOUT_MS = 10_000;

const setup = workerData as SpanThreadSetup<TaskSpanSource>; // what span-thread.ts passes
const { destination, source } = setup;
const isOtlp = destination.protocol === 'otlp';
/** Messages on their way at once. The exporter for Jaeger has one buffer for all. */
const MOST_SENDING = isOtlp ? 4 : 1;
/** That of OTLP tries again by itself. */
const MOST_ATTEMPTS = isOtlp ? 1 : 3;

const counts = new SharedSpanCounts(setup.counts);
const readers = setup.rings.map((memory) => new TaskRecordReader(memory));
let spans: ReadableSpan[] = [];
let since = 0;
let sending = 0;
let whenIdle: (() => void) | undefined;
let traceId = '';
let spanId = '';

const tracer = new BasicTracerProvider({
  resource: resourceFromAttributes(source.resource),
  // Their ids are known: handlers may have had them as their context.
  idGenerator: { generateTraceId: () => traceId, generateSpanId: () => spanId },
  spanProcessors: [
    {
      onStart: () => {},
      onEnd: (span) => spans.push(span),
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    },
  ],
}).getTracer(source.scope.name, source.scope.version);

let exporter = await newExporter();

async function newExporter(): Promise<SpanExporter> {
  const { url, headers } = destination;
  if (isOtlp) {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
    return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: SEND_TIMEOUT_MS });
  }
  const { JaegerExporter } = await import('@opentelemetry/exporter-jaeger');
  return new JaegerExporter({ endpoint: url });
}

function makeSpan(run: TaskRun): void {
  if (spans.length === 0) since = performance.now();
  [, traceId = '', spanId = ''] = run.traceparent.split('-');
  const parent =
    run.parentId === ''
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: run.parentId, traceFlags: 1, isRemote: true });
  const attributes = {
    'sluice.task_id': run.taskId,
    'sluice.task_type': run.taskType,
    'sluice.attempt': run.attempt,
    'sluice.outcome': run.outcome,
    ...(run.reason !== '' && { 'sluice.dead_reason': run.reason }),
    ...(run.error !== '' && { 'error.type': run.error }),
  };
  const startTime = timeOf(run.startedAt);
  const endTime = timeOf(run.endedAt);
  const span = tracer.startSpan(
    'task_processing_span',
    { kind: SpanKind.CONSUMER, startTime, attributes },
    parent,
  );
  if (run.error !== '') {
    // Without its message, which may quote the payload: the dead-letter stream has it.
    span.addEvent('exception', { 'exception.type': run.error }, endTime);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(endTime);
}

function timeOf(ms: number): HrTime {
  const microseconds = microsecondsOf(ms);
  return [Math.floor(microseconds / 1e6), (microseconds % 1e6) * 1000];
}

function readSome(reader: TaskRecordReader): number {
  const read = reader.read(SPANS - spans.length, makeSpan);
  counts.made(read);
  if (spans.length >= SPANS) send();
  return read;
}

function look(): void {
  for (const reader of readers) {
    while (sending < MOST_SENDING && readSome(reader) > 0);
  }
  if (spans.length > 0 && sending < MOST_SENDING && performance.now() - since >= OLD_MS) send();
}

function send(): void {
  const message = spans;
  spans = [];
  sending++;
  void deliver(message).then(() => {
    sending--;
    if (sending === 0) whenIdle?.();
    else look();
  });
}

async function deliver(message: ReadableSpan[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failure = await exported(message);
    if (failure === undefined) {
      counts.exported(message.length);
      return;
    }
    if (failure === 'rejected' || attempt >= MOST_ATTEMPTS) {
      counts.dropped(failure, message.length);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
  }
}

/** Answers that mean another try is worth it (OTLP). */
const RETRYABLE = new Set([429, 502, 503, 504]);

/** Resolves with why a message was not delivered. */
function exported(message: ReadableSpan[]): Promise<'rejected' | 'unreachable' | undefined> {
  return new Promise((resolve) => {
    // The exporter for Jaeger waits for an answer for ever, and would mix what comes next with what it still has.
    const timer = setTimeout(() => {
      void newExporter().then((next) => {
        exporter = next;
        resolve('unreachable');
      });
    }, SEND_TIMEOUT_MS + 1000);
    exporter.export(message, ({ code, error }) => {
      clearTimeout(timer);
      if (code === 0) resolve(undefined);
      else resolve(isFinal(error) ? 'rejected' : 'unreachable');
    });
  });
}

function isFinal(error: unknown): boolean {
  const status = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof status === 'number' && !RETRYABLE.has(status);
}

async function stop(withinMs: number): Promise<void> {
  clearInterval(timer);
  setTimeout(() => process.exit(), withinMs);
  for (const reader of readers) while (readSome(reader) > 0);
  if (spans.length > 0) send();
  await new Promise<void>((resolve) => {
    whenIdle = resolve;
    if (sending === 0) resolve();
  });
  process.exit(); // of this thread; what it has not delivered is counted by whoever has started it
}

const timer = setInterval(look, LOOK_EVERY_MS);
parentPort?.once('message', ({ withinMs }: StopSpans) => void stop(withinMs));
