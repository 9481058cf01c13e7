import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'node:test';
import { defineTaskType, digestOfApiKey, newApiKey } from '@sluice/contract';
import type { EngineOptions } from '@sluice/engine';
import { type RedisServer, startRedis, startSpanReceiver, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { Type } from 'typebox';
import { exchange, post, type RunningEngine, runEngine } from './fixture.js';

// Whatever way a request goes, its span continues the trace that it came with, and the answer names that span.

/** One request, and what it is answered with: a status, or the code of an error. */
interface Way {
  readonly answer: string;
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  /** As it is sent, instead of a Content-Length. */
  readonly framing?: string;
}

interface Ways {
  readonly of: string;
  readonly options?: EngineOptions;
  /** Brings the engine to where these ways begin. */
  readonly before?: (running: RunningEngine, redis: Redis, server: RedisServer) => Promise<unknown>;
  readonly ways: readonly Way[];
}

const BODY = '{"data":1}';
const BATCH = '[{"data":1},{"data":2}]';
const taskTypes = [
  defineTaskType('resize', Type.Object({ width: Type.Number() })),
  defineTaskType(
    'broken',
    Type.Refine(Type.Unknown(), () => broken()),
  ),
];

function broken(): never {
  throw new Error('a schema with a fault');
}

function chunk(bytes: string): string {
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n0\r\n\r\n`;
}

const WAYS: readonly Ways[] = [
  {
    of: 'one task',
    options: { taskTypes, maxPayloadSize: 1000, maxBatchSize: 2000, allowChunked: true, maxBatchTasks: 3 },
    ways: [
      { answer: '202' },
      { answer: '202', headers: ['Prefer: ack=received'] },
      { answer: '202', headers: ['Idempotency-Key: one'] },
      { answer: '202', headers: ['Idempotency-Key: one'] },
      { answer: '202', body: '{"data":1,"delay":60}' },
      { answer: '202', path: '/tasks/resize', body: '{"data":{"width":1}}' },
      { answer: 'IDEMPOTENCY_KEY_REUSED', headers: ['Idempotency-Key: one'], body: '{"data":2}' },
      { answer: 'INVALID_IDEMPOTENCY_KEY', headers: ['Idempotency-Key: one', 'Idempotency-Key: two'] },
      { answer: 'INVALID_PREFERENCE', headers: ['Prefer: ack=perhaps'] },
      { answer: 'ACK_LEVEL_UNAVAILABLE', headers: ['Prefer: ack=replicated'] },
      { answer: 'BAD_REQUEST', headers: ['Host: two'] },
      { answer: 'PAYLOAD_TOO_LARGE', body: `{"data":"${'x'.repeat(2000)}"}` },
      { answer: 'PAYLOAD_TOO_LARGE', framing: 'Content-Length: 1000000', body: '' },
      { answer: 'PAYLOAD_TOO_LARGE', framing: 'Transfer-Encoding: chunked', body: chunk('x'.repeat(2000)) },
      { answer: 'UNSUPPORTED_MEDIA_TYPE', headers: ['Content-Type: text/plain'] },
      { answer: 'INVALID_JSON', body: '{"data":' },
      { answer: 'INVALID_UTF8', body: '{"data":"\xff"}' },
      { answer: 'INVALID_MSGPACK', headers: ['Content-Type: application/msgpack'], body: '\xc1' },
      { answer: 'FORBIDDEN_KEY', body: '{"data":{"__proto__":1}}' },
      { answer: 'PAYLOAD_TOO_DEEP', body: `{"data":${'['.repeat(400)}${']'.repeat(400)}}` },
      { answer: 'VALIDATION_ERROR', path: '/tasks/resize', body: '{"data":{"width":"x"}}' },
      { answer: 'INTERNAL_ERROR', path: '/tasks/broken' },
    ],
  },
  {
    of: 'a batch',
    options: { taskTypes, maxPayloadSize: 1000, maxBatchSize: 2000, maxBatchTasks: 3 },
    ways: [
      { answer: '202', body: BATCH },
      { answer: '202', body: BATCH, headers: ['Prefer: ack=received'] },
      { answer: '207', body: '[{"data":1},{"nothing":2}]' },
      { answer: 'VALIDATION_ERROR', body: '[{"nothing":1}]' },
      { answer: 'INVALID_JSON', body: '[{"data":1}' },
      { answer: 'PAYLOAD_TOO_LARGE', body: `[${'{"data":1},'.repeat(4)}{"data":2}]` },
      { answer: 'PAYLOAD_TOO_LARGE', framing: 'Content-Length: 2001', body: ' '.repeat(2001) },
      { answer: 'LENGTH_REQUIRED', framing: 'Transfer-Encoding: chunked', body: chunk(BATCH) },
      { answer: 'UNSUPPORTED_MEDIA_TYPE', body: BATCH, headers: ['Content-Type: text/plain'] },
      { answer: 'INVALID_IDEMPOTENCY_KEY', body: BATCH, headers: ['Idempotency-Key: one'] },
      { answer: 'ACK_LEVEL_UNAVAILABLE', body: BATCH, headers: ['Prefer: ack=replicated'] },
      { answer: 'INTERNAL_ERROR', path: '/tasks/broken/batch', body: '[{"data":1}]' },
    ].map((way) => ({ path: '/tasks/batch', ...way })),
  },
  {
    of: 'somebody without a key',
    options: { apiKeysFile: 'not read', apiKeysText: `shop default ${digestOfApiKey(newApiKey())}\n` },
    ways: [{ answer: 'UNAUTHORIZED' }, { answer: 'UNAUTHORIZED', path: '/tasks/batch', body: BATCH }],
  },
  {
    of: 'one while the backlog is full',
    options: { streamMaxlen: 1 },
    before: async ({ url }) => {
      await waitFor(async () => (await post(`${url}/tasks`, BODY)).status === 503, {
        timeoutMs: 20_000,
        what: 'the backlog to be full',
      });
    },
    ways: [{ answer: 'OVERLOADED' }, { answer: 'OVERLOADED', path: '/tasks/batch', body: '[{"data":1}]' }],
  },
  {
    of: 'one whose body there is no room for',
    options: { maxInFlightBytes: 20, maxPayloadSize: 20, allowChunked: true },
    before: async ({ port, engine }) => {
      connect(port, '127.0.0.1').write(request({ framing: 'Content-Length: 19', body: 'x'.repeat(18) }));
      await waitFor(() => engine.counters.inFlightBytes === 18, { timeoutMs: 20_000, what: 'it to be held' });
    },
    ways: [
      { answer: 'OVERLOADED' },
      { answer: 'OVERLOADED', framing: 'Transfer-Encoding: chunked', body: chunk(BODY) },
    ],
  },
  {
    of: 'one that Redis refuses, and then the breaker',
    options: { appendBreakerRefusals: 2, appendBreakerProbeSeconds: 60 },
    before: ({ stream }, redis) => redis.set(stream, 'no stream'),
    ways: [
      { answer: 'APPEND_REFUSED' },
      { answer: 'APPEND_REFUSED', path: '/tasks/batch', body: '[{"data":1}]' },
      { answer: 'APPEND_REFUSED' },
      { answer: 'APPEND_REFUSED', path: '/tasks/batch', body: BATCH },
    ],
  },
  {
    of: 'one that Redis does not answer',
    options: { appendTimeoutSeconds: 0.3 },
    before: async (_running, _redis, server) => server.pause(),
    ways: [{ answer: 'APPEND_UNCONFIRMED' }],
  },
  {
    of: 'one while Redis is gone',
    before: async ({ engine }, _redis, server) => {
      await server.stop();
      await waitFor(() => !engine.ready, { timeoutMs: 20_000, what: 'the engine to see it' });
    },
    ways: [
      { answer: 'REDIS_UNAVAILABLE' },
      { answer: 'REDIS_UNAVAILABLE', path: '/tasks/batch', body: BATCH },
    ],
  },
];

/** The bytes of a request that is part of a trace. */
function request(
  { path = '/tasks', headers = [], body = BODY, framing }: Omit<Way, 'answer'>,
  parent = '',
): Buffer {
  const hasType = headers.some((line) => line.startsWith('Content-Type'));
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: one',
    ...(hasType ? [] : ['Content-Type: application/json']),
    framing ?? `Content-Length: ${body.length}`,
    `traceparent: ${parent}`,
    ...headers,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

interface Sent extends Way {
  readonly traceId: string;
  readonly parentId: string;
  readonly text: string;
}

async function send(port: number, way: Way): Promise<Sent> {
  const [traceId, parentId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const bytes = request(way, `00-${traceId}-${parentId}-00`);
  const { text } = await exchange(port, [bytes], /\r\n\r\n.*\}$/s);
  return { ...way, traceId, parentId, text };
}

for (const { of, options, before, ways } of WAYS) {
  test(`the span of a request continues its trace, and the answer names it: ${of}`, async (t) => {
    const [server, collector] = await Promise.all([startRedis(), startSpanReceiver()]);
    const redis = new Redis(server.url);
    redis.on('error', () => {}); // some take the server away
    t.after(async () => {
      redis.disconnect();
      server.resume();
      await Promise.all([server.stop(), collector.close()]);
    });
    const running = await runEngine(t, server.url, { otlpEndpoint: collector.url, ...options });
    await before?.(running, redis, server);
    const sent: Sent[] = [];
    for (const way of ways) sent.push(await send(running.port, way));
    server.resume();
    await running.engine.stop();
    for (const { answer, traceId, parentId, text, ...way } of sent) {
      const what = JSON.stringify([answer, way, text]);
      const spans = collector.spans.filter(
        (one) => one.traceId === traceId && one.name === 'api_request_span',
      );
      const [span] = spans;
      assert.equal(spans.length, 1, what);
      assert.equal(span?.parentId, parentId, what);
      const { 'error.type': code, 'http.response.status_code': status } = span?.attributes ?? {};
      assert.equal(String(code ?? status), answer, what);
      assert.ok(text.startsWith(`HTTP/1.1 ${status} `), what);
      assert.match(text, new RegExp(`\\r\\ntraceparent: 00-${traceId}-${span?.spanId}-01\\r\\n`), what);
    }
  });
}

test('the span of a request whose client goes away continues its trace', async (t) => {
  const [server, collector] = await Promise.all([startRedis(), startSpanReceiver()]);
  t.after(() => Promise.all([server.stop(), collector.close()]));
  const { port, engine } = await runEngine(t, server.url, { otlpEndpoint: collector.url });
  for (const path of ['/tasks', '/tasks/batch']) {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      request(
        { path, body: '{', framing: 'Content-Length: 10' },
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
      ),
    );
    await waitFor(() => engine.counters.inFlightRequests === 1, { timeoutMs: 20_000, what: 'it to come in' });
    socket.destroy();
    await waitFor(() => engine.counters.inFlightRequests === 0, {
      timeoutMs: 20_000,
      what: 'it to be given up',
    });
  }
  await engine.stop();
  const seen = collector.spans.map((span) => [span.traceId, span.parentId, span.attributes['error.type']]);
  const expected = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', 'CLIENT_GONE'];
  assert.deepEqual(seen, [expected, expected]);
});

test('without a receiver, or without a traceparent, no answer has one', async (t) => {
  const [server, collector] = await Promise.all([startRedis(), startSpanReceiver()]);
  t.after(() => Promise.all([server.stop(), collector.close()]));
  for (const otlpEndpoint of [undefined, collector.url]) {
    const { port } = await runEngine(t, server.url, otlpEndpoint === undefined ? {} : { otlpEndpoint });
    for (const path of ['/tasks', '/tasks/batch']) {
      for (const body of [path === '/tasks' ? BODY : BATCH, '{', '']) {
        const parent = otlpEndpoint === undefined ? `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` : 'none';
        const { text } = await exchange(port, [request({ path, body }, parent)], /\r\n\r\n.*\}$/s);
        assert.doesNotMatch(text, /traceparent/);
      }
    }
  }
});
