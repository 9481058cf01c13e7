import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import {
  type Context,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { JaegerExporter } from '@opentelemetry/exporter-jaeger';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { JaegerEncoder } from './jaeger-encoder.js';
import { OtlpEncoder } from './otlp-encoder.js';
import {
  MOST_LINKS,
  type RequestSpan,
  SINGLE_TASK,
  type SpanSource,
  type WriteSpan,
} from './request-span.js';

const resource = { 'service.name': 'orders', 'service.version': '1.2.3', 'service.instance.id': 'host:7' };
const source: SpanSource = {
  serviceName: 'orders',
  resource,
  scope: { name: '@sluice/engine', version: '0.1.0' },
  routes: [
    { path: '/tasks', route: '/tasks', taskType: 'default' },
    { path: '/tasks/größe/batch', route: '/tasks/{type}/batch', taskType: 'größe' },
  ],
  errors: ['', 'VALIDATION_ERROR', 'OVERLOADED'],
};

const START = 1_763_754_000_123_457;
const END = START + 1_834;

function id(bytes: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, i) => ((seed + 1) * 31 + i * 7) & 0xff));
}

/** What differs between spans that are else alike, by a seed. */
function requestSpan(over: Partial<RequestSpan> = {}, seed = 1): RequestSpan {
  return {
    traceId: id(16, seed),
    spanId: id(8, seed + 1),
    parentId: id(8, seed + 2),
    hasParent: false,
    start: START + seed * 1_234_567,
    end: END + seed * 1_334_567,
    route: 0,
    status: 202,
    error: 0,
    bytes: Buffer.from(`some bytes${taskId(seed)}`),
    taskIdAt: 10,
    tasks: SINGLE_TASK,
    write: Buffer.from(`${id(16, seed + 3).toString('hex')}-${id(8, seed + 4).toString('hex')}`),
    ...over,
  };
}

function taskId(seed: number): string {
  return `a3f1c2d4-0000-4000-8000-${id(6, seed).toString('hex')}`;
}

function taskIdOf({ bytes, taskIdAt }: RequestSpan): string {
  return bytes.toString('latin1', taskIdAt, taskIdAt + 36);
}

function writeSpan(requests: number, over: Partial<WriteSpan> = {}): WriteSpan {
  const linked = Math.min(requests, MOST_LINKS);
  return {
    traceId: id(16, 1),
    spanId: id(8, 5),
    parentId: id(8, 2),
    start: START,
    end: END,
    tasks: requests,
    failed: 0,
    links: Buffer.concat(Array.from({ length: linked }, (_, i) => id(24, i))),
    requests,
    ...over,
  };
}

const REQUESTS = [
  requestSpan(),
  requestSpan({ hasParent: true, route: 1, tasks: 900, write: undefined }),
  requestSpan({ status: 422, error: 1, tasks: 0, write: undefined }),
  requestSpan({ status: 503, error: 2, route: 1 }),
  // Of those that are like another one only what differs is written anew: each shape, twice more, and in between each other.
  ...[2, 3].flatMap((seed) => [
    requestSpan({}, seed),
    requestSpan({ hasParent: true }, seed),
    requestSpan({ write: undefined }, seed),
    requestSpan({ hasParent: true, write: undefined }, seed),
    requestSpan({ route: 1 }, seed),
    requestSpan({ route: 1, hasParent: true }, seed),
    requestSpan({ status: 202, tasks: 3 }, seed),
    requestSpan({ status: 202, tasks: 0 }, seed),
    requestSpan({ status: 400, error: 1 }, seed),
  ]),
];
const WRITES = [
  writeSpan(1),
  writeSpan(MOST_LINKS, { failed: 3 }),
  writeSpan(1000, { tasks: 40_000 }),
  { ...writeSpan(0), parentId: undefined },
];

/** The same spans as the SDK of OpenTelemetry makes them. */
function officialSpans(): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  let spanId = '';
  let traceId = '';
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(resource),
    spanProcessors: [new SimpleSpanProcessor(memory)],
    idGenerator: { generateSpanId: () => spanId, generateTraceId: () => traceId },
  });
  const tracer = provider.getTracer('@sluice/engine', '0.1.0');
  const contextOf = (trace16: Buffer, parent: Buffer | undefined, isRemote: boolean): Context =>
    parent === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, {
          traceId: trace16.toString('hex'),
          spanId: parent.toString('hex'),
          traceFlags: 1,
          isRemote,
        });
  for (const span of REQUESTS) {
    spanId = span.spanId.toString('hex');
    traceId = span.traceId.toString('hex');
    const route = source.routes[span.route] ?? assert.fail();
    const made = tracer.startSpan(
      'api_request_span',
      { kind: SpanKind.SERVER, startTime: time(span.start) },
      contextOf(span.traceId, span.hasParent ? span.parentId : undefined, true),
    );
    made.setAttribute('http.request.method', 'POST');
    made.setAttribute('url.path', route.path);
    made.setAttribute('http.route', route.route);
    made.setAttribute('sluice.task_type', route.taskType);
    made.setAttribute('http.response.status_code', span.status);
    if (span.error > 0) made.setAttribute('error.type', source.errors[span.error] ?? '');
    if (span.tasks === SINGLE_TASK) made.setAttribute('sluice.task_id', taskIdOf(span));
    else if (span.tasks > 0) made.setAttribute('sluice.task_count', span.tasks);
    if (span.write !== undefined) made.setAttribute('sluice.redis_span', span.write.toString());
    if (span.status >= 500) made.setStatus({ code: SpanStatusCode.ERROR });
    made.end(time(span.end));
  }
  for (const span of WRITES) {
    spanId = span.spanId.toString('hex');
    traceId = span.traceId.toString('hex');
    const made = tracer.startSpan(
      'redis_operations_span',
      { kind: SpanKind.CLIENT, startTime: time(span.start) },
      contextOf(span.traceId, span.parentId, false),
    );
    // The SDK lets go of the oldest links beyond the limit; we keep the first, among which the parent is.
    for (let i = MOST_LINKS; i < span.requests; i++) made.addLink(linkOf(id(24, i)));
    for (let i = 0; i < Math.min(span.requests, MOST_LINKS); i++) made.addLink(linkOf(id(24, i)));
    made.setAttribute('db.system.name', 'redis');
    made.setAttribute('db.operation.batch.size', span.tasks);
    if (span.failed > 0) made.setAttribute('sluice.failed_count', span.failed);
    if (span.failed > 0) made.setStatus({ code: SpanStatusCode.ERROR });
    made.end(time(span.end));
  }
  return memory.getFinishedSpans();
}

function linkOf(ids: Buffer): Link {
  const traceId = ids.subarray(0, 16).toString('hex');
  return { context: { traceId, spanId: ids.subarray(16).toString('hex'), traceFlags: 1 } };
}

function time(microseconds: number): HrTime {
  return [Math.floor(microseconds / 1e6), (microseconds % 1e6) * 1000];
}

function encoded(encoder: OtlpEncoder | JaegerEncoder): Buffer {
  for (const span of REQUESTS) encoder.request(span);
  for (const span of WRITES) encoder.write(span);
  return encoder.take();
}

/** What the exporter for Jaeger sends. */
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

/** Where two messages differ, with what stands there; undefined when they do not. */
function firstDifference(ours: Buffer, official: Buffer): string | undefined {
  if (ours.equals(official)) return undefined;
  const at = ours.findIndex((byte, i) => byte !== official[i]);
  const around = (bytes: Buffer) => bytes.subarray(Math.max(0, at - 20), at + 20).toString('hex');
  return `at ${at} of ${ours.length} and ${official.length}: ${around(ours)} instead of ${around(official)}`;
}

describe('the encoders of the spans of an engine', () => {
  it('write in OTLP what OpenTelemetry writes, byte for byte', () => {
    const official = Buffer.from(ProtobufTraceSerializer.serializeRequest(officialSpans()) ?? assert.fail());
    const ours = encoded(new OtlpEncoder(source));
    assert.equal(firstDifference(ours, official), undefined);
  });

  it('write for Jaeger what the exporter for Jaeger writes, byte for byte', async () => {
    const [official, ...more] = await sentToJaeger(officialSpans());
    assert.deepEqual(more, []);
    assert.equal(firstDifference(encoded(new JaegerEncoder(source)), official ?? assert.fail()), undefined);
  });

  it('begin anew after each message', () => {
    for (const encoder of [new OtlpEncoder(source), new JaegerEncoder(source)]) {
      const first = encoded(encoder);
      assert.equal(encoder.size, 0);
      assert.deepEqual(encoded(encoder), first);
    }
  });

  it('take as many spans as there are', () => {
    for (const encoder of [new OtlpEncoder(source), new JaegerEncoder(source)]) {
      for (let i = 0; i < 20_000; i++) encoder.request(requestSpan());
      assert.ok(encoder.size > 20_000 * 200);
      assert.ok(encoder.take().length > 20_000 * 200);
    }
  });
});
