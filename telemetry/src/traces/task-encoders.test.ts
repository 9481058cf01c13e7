import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { JaegerExporter } from '@opentelemetry/exporter-jaeger';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { JaegerTaskEncoder } from './jaeger-task-encoder.js';
import { OtlpTaskEncoder } from './otlp-task-encoder.js';
import { RingReader, ringMemory } from './span-ring.js';
import { TASK_RECORD_BYTES, TaskRecorder, type TaskRun, TaskSpanReader } from './task-records.js';

const resource = { 'service.name': 'orders', 'service.instance.id': 'host:7' };
const scope = { name: '@sluice/consumers', version: '0.1.0' };
const source = { serviceName: 'orders', resource, scope };

/** Unix milliseconds; the exporter for Jaeger rounds the times of logs down, and this one is whole either way. */
const START = 1_763_754_000_123.25;
const END = START + 1.5;

function run(over: Partial<TaskRun> = {}): TaskRun {
  return {
    startedAt: START,
    endedAt: END,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    parentId: 'c8be7c827a314442',
    taskId: 'a3f1c2d4-0000-4000-8000-00000000beef',
    taskType: 'default',
    attempt: 1,
    outcome: 'done',
    reason: '',
    error: '',
    ...over,
  };
}

const RUNS = [
  run(),
  run({ parentId: '', attempt: 4_000_000_000, taskType: 'größe' }),
  run({ outcome: 'retry', attempt: 128, error: 'RangeError' }),
  run({ outcome: 'dead', attempt: 3, reason: 'attempts', error: `E${'x'.repeat(63)}` }),
  run({ outcome: 'dead', reason: 'undecodable', taskId: '', taskType: 't'.repeat(64) }),
];

/** The same spans as the SDK of OpenTelemetry makes them. */
function officialSpans(): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  let traceId = '';
  let spanId = '';
  const tracer = new BasicTracerProvider({
    resource: resourceFromAttributes(resource),
    spanProcessors: [new SimpleSpanProcessor(memory)],
    idGenerator: { generateSpanId: () => spanId, generateTraceId: () => traceId },
  }).getTracer(scope.name, scope.version);
  for (const { traceparent, parentId, startedAt, endedAt, ...said } of RUNS) {
    [, traceId = '', spanId = ''] = traceparent.split('-');
    const parent = { traceId, spanId: parentId, traceFlags: 1, isRemote: true };
    const span = tracer.startSpan(
      'task_processing_span',
      {
        kind: SpanKind.CONSUMER,
        startTime: time(startedAt),
        attributes: {
          'sluice.task_id': said.taskId,
          'sluice.task_type': said.taskType,
          'sluice.attempt': said.attempt,
          'sluice.outcome': said.outcome,
          ...(said.reason !== '' && { 'sluice.dead_reason': said.reason }),
          ...(said.error !== '' && { 'error.type': said.error }),
        },
      },
      parentId === '' ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
    );
    if (said.error !== '') {
      span.addEvent('exception', { 'exception.type': said.error }, time(endedAt));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(time(endedAt));
  }
  return memory.getFinishedSpans();
}

function time(ms: number): HrTime {
  const microseconds = Math.round(ms * 1000);
  return [Math.floor(microseconds / 1e6), (microseconds % 1e6) * 1000];
}

/** What becomes of the runs on their way through the ring. */
function encoded(encoder: OtlpTaskEncoder | JaegerTaskEncoder): Buffer {
  const memory = ringMemory(8, TASK_RECORD_BYTES);
  const recorder = new TaskRecorder(memory);
  for (const one of RUNS) recorder.write(one);
  assert.equal(new TaskSpanReader(new RingReader(memory), encoder).read(8), RUNS.length);
  return encoder.take();
}

async function sentToJaeger(spans: ReadableSpan[]): Promise<Buffer[]> {
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    bodies.push(Buffer.concat(parts));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const exporter = new JaegerExporter({ endpoint: `http://127.0.0.1:${port}/api/traces` });
  await new Promise<void>((resolve) => exporter.export(spans, () => resolve()));
  await exporter.shutdown();
  server.close();
  server.closeAllConnections();
  return bodies;
}

describe('the encoders of the span of a task', () => {
  it('write in OTLP what OpenTelemetry writes, byte for byte', () => {
    const official = Buffer.from(ProtobufTraceSerializer.serializeRequest(officialSpans()) ?? assert.fail());
    assert.equal(encoded(new OtlpTaskEncoder(source)).toString('hex'), official.toString('hex'));
  });

  it('write for Jaeger what the exporter for Jaeger writes, byte for byte', async () => {
    const [official, ...more] = await sentToJaeger(officialSpans());
    assert.deepEqual(more, []);
    assert.equal(encoded(new JaegerTaskEncoder(source)).toString('hex'), official?.toString('hex'));
  });

  it('begin anew after each message', () => {
    for (const encoder of [new OtlpTaskEncoder(source), new JaegerTaskEncoder(source)]) {
      const first = encoded(encoder);
      assert.equal(encoder.size, 0);
      assert.deepEqual(encoded(encoder), first);
    }
  });
});
