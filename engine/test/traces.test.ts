import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { defineTaskType } from '@sluice/contract';
import type { EngineOptions } from '@sluice/engine';
import {
  freePort,
  type ReceivedSpan,
  type SpanReceiver,
  startLoad,
  startSpanReceiver,
  waitFor,
} from '@sluice/testbed';
import { Type } from 'typebox';
import { postBatch } from './batch-fixture.js';
import { entriesOf, post, type RunningEngine, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${PARENT}-00`;

const PROTOCOLS = ['otlp', 'jaeger'] as const;

async function receiver(t: TestContext): Promise<SpanReceiver> {
  const started = await startSpanReceiver();
  t.after(() => started.close());
  return started;
}

async function traced(
  t: TestContext,
  { url }: { url: string },
  protocol: (typeof PROTOCOLS)[number] = 'otlp',
  options: EngineOptions = {},
): Promise<RunningEngine> {
  const endpoint = protocol === 'otlp' ? { otlpEndpoint: url } : { jaegerEndpoint: `${url}/api/traces` };
  return await runEngine(t, redis.server.url, { serviceName: 'orders', ...endpoint, ...options });
}

/** Stops the engine, so that all spans have been delivered, and sorts them by their name. */
async function delivered({ engine }: RunningEngine, { spans, faults }: SpanReceiver) {
  await engine.stop();
  assert.deepEqual(faults, []);
  assert.deepEqual(engine.counters.spansDropped, {
    'ring-full': 0,
    unreachable: 0,
    rejected: 0,
    shutdown: 0,
    'thread-died': 0,
  });
  assert.equal(engine.counters.spansExported, spans.length);
  return {
    requests: spans.filter(({ name }) => name === 'api_request_span'),
    writes: spans.filter(({ name }) => name === 'redis_operations_span'),
  };
}

function idOf({ traceId, spanId }: ReceivedSpan): string {
  return `${traceId}-${spanId}`;
}

for (const protocol of PROTOCOLS) {
  test(`a task has the span of its request, of its write, and passes the first on (${protocol})`, async (t) => {
    const collector = await receiver(t);
    const running = await traced(t, collector, protocol);
    const before = Date.now() * 1000;
    const reply = await post(`${running.url}/tasks`, BODY);
    const [entry] = await entriesOf(redis.client, running.stream);
    const { requests, writes } = await delivered(running, collector);
    const [request] = requests;
    const [write] = writes;
    assert.ok(requests.length === 1 && writes.length === 1 && request !== undefined && write !== undefined);
    assert.equal(entry?.trace_context, `00-${request.traceId}-${request.spanId}-01`);
    assert.equal(request.kind, 'server');
    assert.equal(request.parentId, '');
    assert.equal(request.failed, false);
    assert.equal(request.resource['service.name'], 'orders');
    assert.ok(
      request.start > before - 5000 && request.end > request.start && request.end < Date.now() * 1000 + 5000,
    );
    assert.equal(request.attributes['http.request.method'], 'POST');
    assert.equal(request.attributes['url.path'], '/tasks');
    assert.equal(request.attributes['http.route'], '/tasks');
    assert.equal(request.attributes['http.response.status_code'], 202);
    assert.equal(request.attributes['sluice.task_id'], reply.body.task_id);
    assert.equal(request.attributes['sluice.task_type'], 'default');
    assert.equal(request.attributes['sluice.redis_span'], idOf(write));
    assert.equal(write.kind, 'client');
    assert.equal(write.traceId, request.traceId);
    assert.equal(write.parentId, request.spanId);
    assert.deepEqual(write.links, [idOf(request)]);
    assert.equal(write.attributes['db.operation.batch.size'], 1);
    // The write is over when all its requests are answered, which may take a machine a while.
    assert.ok(write.start >= request.start && write.end <= request.end + 1_000_000);
  });
}

test('a request with a traceparent continues that trace, and is told its span', async (t) => {
  const collector = await receiver(t);
  const running = await traced(t, collector);
  const reply = await post(`${running.url}/tasks`, BODY, 'application/json', { traceparent: TRACEPARENT });
  const [entry] = await entriesOf(redis.client, running.stream);
  const { requests } = await delivered(running, collector);
  const [request] = requests;
  assert.equal(request?.traceId, TRACE);
  assert.equal(request?.parentId, PARENT);
  // Sampled though its parent was not: all are.
  assert.equal(entry?.trace_context, `00-${TRACE}-${request?.spanId}-01`);
  assert.equal(reply.headers.get('traceparent'), `00-${TRACE}-${request?.spanId}-01`);
});

test('a traceparent that is none begins a new trace', async (t) => {
  const collector = await receiver(t);
  const running = await traced(t, collector);
  for (const traceparent of [
    '00-x',
    TRACEPARENT.toUpperCase(),
    `ff${TRACEPARENT.slice(2)}`,
    `${TRACEPARENT}-01`,
  ]) {
    const reply = await post(`${running.url}/tasks`, BODY, 'application/json', { traceparent });
    assert.equal(reply.headers.get('traceparent'), null);
  }
  const { requests } = await delivered(running, collector);
  assert.equal(requests.length, 4);
  assert.ok(requests.every(({ traceId, parentId }) => traceId !== TRACE && parentId === ''));
  assert.equal(new Set(requests.map(({ traceId }) => traceId)).size, 4);
});

test('a traceparent of a later version is continued as one of version 00', async (t) => {
  const collector = await receiver(t);
  const running = await traced(t, collector);
  await post(`${running.url}/tasks`, BODY, 'application/json', {
    traceparent: `01-${TRACE}-${PARENT}-01-what-comes`,
  });
  const [entry] = await entriesOf(redis.client, running.stream);
  const { requests } = await delivered(running, collector);
  assert.equal(entry?.trace_context, `00-${TRACE}-${requests[0]?.spanId}-01`);
});

test('without a receiver nothing is traced: the traceparent that came is passed on as it is', async (t) => {
  const running = await runEngine(t, redis.server.url);
  const reply = await post(`${running.url}/tasks`, BODY, 'application/json', { traceparent: TRACEPARENT });
  const [entry] = await entriesOf(redis.client, running.stream);
  assert.equal(entry?.trace_context, TRACEPARENT);
  assert.equal(reply.headers.get('traceparent'), null);
  assert.equal(running.engine.counters.spansExported, 0);
});

test('each request has one span, whatever it was answered', async (t) => {
  const collector = await receiver(t);
  const taskTypes = [defineTaskType('resize', Type.Object({ width: Type.Number() }))];
  const running = await traced(t, collector, 'otlp', { taskTypes, maxPayloadSize: 100 });
  const { url } = running;
  const send = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
    });
  await send('/tasks/resize', '{"data":{"width":1}}');
  await send('/tasks/resize', '{"data":{"width":"x"}}', { traceparent: TRACEPARENT });
  await send('/tasks', '{"data":');
  await send('/tasks', `{"data":"${'x'.repeat(200)}"}`, { traceparent: TRACEPARENT });
  await send('/tasks', BODY, { 'Content-Type': 'text/plain' });
  await send('/tasks', BODY, { Prefer: 'ack=replicated' });
  const { requests } = await delivered(running, collector);
  const seen = requests.map(({ attributes, parentId, failed }) => [
    attributes['http.route'],
    attributes['http.response.status_code'],
    attributes['error.type'],
    parentId,
    failed,
  ]);
  assert.deepEqual(seen, [
    ['/tasks/{type}', 202, undefined, '', false],
    ['/tasks/{type}', 422, 'VALIDATION_ERROR', PARENT, false],
    ['/tasks', 400, 'INVALID_JSON', '', false],
    ['/tasks', 413, 'PAYLOAD_TOO_LARGE', PARENT, false],
    ['/tasks', 415, 'UNSUPPORTED_MEDIA_TYPE', '', false],
    ['/tasks', 503, 'ACK_LEVEL_UNAVAILABLE', '', true],
  ]);
});

test('the tasks of a batch are children of its request, to which each of its writes links', async (t) => {
  const collector = await receiver(t);
  const running = await traced(t, collector);
  const envelopes = Array.from({ length: 3000 }, (_, n) => ({ data: n }));
  const reply = await postBatch(`${running.url}/tasks/batch`, JSON.stringify(envelopes));
  assert.equal(reply.body.accepted, 3000);
  const one = await postBatch(`${running.url}/tasks/batch`, '[{"data":1}]');
  assert.equal(one.body.accepted, 1);
  const entries = await entriesOf(redis.client, running.stream);
  const { requests, writes } = await delivered(running, collector);
  const [request, single] = requests;
  assert.equal(requests.length, 2);
  assert.equal(request?.attributes['sluice.task_count'], 3000);
  assert.equal(single?.attributes['sluice.task_count'], 1);
  assert.equal(request?.attributes['http.route'], '/tasks/batch');
  const contexts = new Set(entries.slice(0, 3000).map((entry) => entry.trace_context));
  assert.deepEqual([...contexts], [`00-${request?.traceId}-${request?.spanId}-01`]);
  assert.equal(
    writes.reduce((sum, { attributes }) => sum + Number(attributes['db.operation.batch.size']), 0),
    3001,
  );
  assert.ok(writes.every(({ links }) => links.length === 1));
});

for (const ackMode of ['appended', 'received'] as const) {
  test(`under load every request has its span, its task and its write, and no write misses a request (${ackMode})`, async (t) => {
    const collector = await receiver(t);
    const running = await traced(t, collector, 'otlp', { ackMode });
    const load = startLoad({ url: running.url, connections: 64, limit: 5000 });
    await load.until(() => true, 5000);
    const answers = await load.stop();
    const entries = await entriesOf(redis.client, running.stream);
    const { requests, writes } = await delivered(running, collector);
    assert.equal(requests.length, answers.length);
    const spanOfTask = new Map(requests.map((span) => [span.attributes['sluice.task_id'], span]));
    assert.equal(spanOfTask.size, answers.length);
    for (const entry of entries) {
      const span = spanOfTask.get(entry.task_id);
      assert.equal(entry.trace_context, `00-${span?.traceId}-${span?.spanId}-01`);
    }
    const writeById = new Map(writes.map((span) => [idOf(span), span]));
    const perWrite = new Map<string, ReceivedSpan[]>();
    for (const span of requests) {
      const id = String(span.attributes['sluice.redis_span']);
      assert.ok(writeById.has(id), id);
      perWrite.set(id, [...(perWrite.get(id) ?? []), span]);
    }
    for (const [id, write] of writeById) {
      const part = perWrite.get(id) ?? [];
      assert.equal(write.attributes['db.operation.batch.size'], part.length);
      assert.deepEqual(new Set(write.links), new Set(part.map(idOf)));
      assert.equal(write.parentId, part[0]?.spanId);
    }
    assert.ok(writes.length < requests.length);
  });
}

test('headers for the receiver are sent along', async (t) => {
  const collector = await receiver(t);
  const running = await traced(t, collector, 'otlp', { otlpHeaders: 'x-api-key=s3cr%3Dt' });
  await post(`${running.url}/tasks`, BODY);
  await delivered(running, collector);
  assert.equal(collector.headers['x-api-key'], 's3cr=t');
});

test('a receiver that is away for a moment, or busy, gets all spans later', async (t) => {
  const collector = await receiver(t);
  const running = await traced(t, collector);
  collector.reception = { status: 503, headers: { 'Retry-After': '1' } };
  await post(`${running.url}/tasks`, BODY);
  await waitFor(() => collector.messages > 0, { timeoutMs: 20_000, what: 'the first message' });
  collector.reception = 'take';
  await waitFor(() => collector.taken === 2, { timeoutMs: 20_000, what: 'the spans' });
  await delivered(running, collector);
});

const GONE: readonly (readonly [
  what: string,
  endpoint: (t: TestContext) => Promise<string>,
  reason: string,
])[] = [
  ['dead', async () => `http://127.0.0.1:${await freePort()}`, 'shutdown'],
  [
    'hanging',
    async (t) => {
      const collector = await receiver(t);
      collector.reception = 'hang';
      return collector.url;
    },
    'shutdown',
  ],
  [
    'refusing',
    async (t) => {
      const collector = await receiver(t);
      collector.reception = { status: 401 };
      return collector.url;
    },
    'rejected',
  ],
  [
    'silent',
    async (t) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const address = server.address();
      return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    },
    'shutdown',
  ],
];

for (const [what, endpoint, reason] of GONE) {
  test(`with a ${what} receiver tasks come in, the engine stops in time, and every span is counted as dropped`, async (t) => {
    const running = await traced(t, { url: await endpoint(t) }, 'otlp', { shutdownTimeoutSeconds: 2 });
    const load = startLoad({ url: running.url, connections: 8, limit: 500 });
    await load.until(() => true, 500);
    const answers = await load.stop();
    assert.ok(answers.every(({ status }) => status === 202));
    const startedAt = performance.now();
    assert.equal(await running.engine.stop(), 0);
    assert.ok(performance.now() - startedAt < 10_000);
    const { spansExported, spansDropped, batches } = running.engine.counters;
    assert.equal(spansExported, 0);
    assert.equal(
      spansDropped[reason as 'shutdown'],
      500 + batches,
      JSON.stringify([spansDropped, running.events]),
    );
    const events = running.events.filter(({ type }) => type === 'spans-dropped');
    assert.ok(events.length >= 1 && events.length <= 2, JSON.stringify(events));
  });
}
