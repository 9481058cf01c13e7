import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineTaskType } from '@sluice/contract';
import { pack } from 'msgpackr';
import { Type } from 'typebox';
import { entriesOf, exchange, post, redisForFile, runEngine } from './fixture.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const redis = redisForFile();

const mail = defineTaskType(
  'mail.send',
  Type.Object({ to: Type.String(), copies: Type.Integer({ minimum: 1 }) }),
);

test('answers 202 with the id of a task that is then in the stream, byte for byte', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const body = '{ "data": {"big": 12345678901234567890, "text": "ü€😀"},\n "metadata": {"from": "test"} }';
  const reply = await post(`${url}/tasks`, body);
  assert.equal(reply.status, 202);
  assert.match(reply.body.task_id ?? '', UUID);
  assert.equal(reply.body.ack, 'appended');
  const [entry, ...others] = await entriesOf(redis.client, stream);
  assert.equal(others.length, 0);
  assert.equal(entry?.task_id, reply.body.task_id);
  assert.equal(entry?.payload, body);
  assert.equal(entry?.type, 'default');
  assert.equal(entry?.content_type, 'application/json');
  assert.equal(entry?.timestamp, new Date(entry?.timestamp ?? '').toISOString());
  assert.match(entry?.trace_context ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test('says when a task came, of each that comes later anew', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const sent: [from: number, to: number][] = [];
  for (let i = 0; i < 3; i++) {
    const from = Date.now();
    assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 202);
    sent.push([from, Date.now()]);
  }
  for (const [i, entry] of (await entriesOf(redis.client, stream)).entries()) {
    const [from = 0, to = 0] = sent[i] ?? [];
    const said = Date.parse(entry.timestamp ?? '');
    assert.ok(said >= from && said <= to, `${said} is not from ${from} to ${to}`);
  }
});

test('hands the traceparent of a request on, and makes a new one for a malformed one', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  for (const traceparent of [given, 'nonsense']) {
    const headers = { 'Content-Type': 'application/json', traceparent };
    await fetch(`${url}/tasks`, { method: 'POST', body: '{"data":1}', headers }).then((response) =>
      response.text(),
    );
  }
  const [first, second] = await entriesOf(redis.client, stream);
  assert.equal(first?.trace_context, given);
  assert.match(second?.trace_context ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test('puts typed tasks into a stream of their type, once they fit its schema', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { taskTypes: [mail] });
  const good = await post(`${url}/tasks/mail.send`, '{"data":{"to":"a@example.org","copies":2}}');
  assert.equal(good.status, 202);
  const bad = await post(`${url}/tasks/mail.send`, '{"data":{"to":7,"copies":0}}');
  assert.equal(bad.status, 422);
  assert.equal(bad.body.error?.code, 'VALIDATION_ERROR');
  assert.deepEqual(bad.body.error?.details?.map((fault) => fault.path).sort(), ['/data/copies', '/data/to']);
  const entries = await entriesOf(redis.client, `${stream}:mail.send`);
  assert.deepEqual(
    entries.map((entry) => [entry.task_id, entry.type]),
    [[good.body.task_id, 'mail.send']],
  );
  assert.equal(await redis.client.exists(stream), 0);
});

test('takes msgpack bodies and says in the entry that they are', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const body = pack({ data: { a: [1, 'zwei', null] } });
  const reply = await post(`${url}/tasks`, body, 'application/msgpack');
  assert.equal(reply.status, 202);
  const [[, fields] = ['', []]] = await redis.client.xrangeBuffer(stream, '-', '+');
  const at = fields.findIndex((field) => field.toString() === 'payload');
  assert.ok(fields[at + 1]?.equals(body));
  assert.equal((await entriesOf(redis.client, stream))[0]?.content_type, 'application/msgpack');
});

const REFUSALS: [name: string, body: string, contentType: string, status: number, code: string][] = [
  ['bad JSON', '{"data":', 'application/json', 400, 'INVALID_JSON'],
  ['an empty body', '', 'application/json', 400, 'INVALID_JSON'],
  ['a body without data', '{}', 'application/json', 422, 'VALIDATION_ERROR'],
  ['a body that is no object', '[1]', 'application/json', 422, 'VALIDATION_ERROR'],
  ['an unknown field beside data', '{"data":1,"extra":1}', 'application/json', 422, 'VALIDATION_ERROR'],
  ['metadata that is no object', '{"data":1,"metadata":1}', 'application/json', 422, 'VALIDATION_ERROR'],
  ['a forbidden key', '{"data":{"__proto__":1}}', 'application/json', 422, 'FORBIDDEN_KEY'],
  ['a forbidden key in disguise', '{"data":{"__pr\\u006fto__":1}}', 'application/json', 422, 'FORBIDDEN_KEY'],
  [
    'nesting without end',
    `{"data":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    'application/json',
    422,
    'PAYLOAD_TOO_DEEP',
  ],
  ['another media type', 'data=1', 'application/x-www-form-urlencoded', 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['another charset', '{"data":1}', 'application/json; charset=utf-16', 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['bad msgpack', '\xc1', 'application/msgpack', 400, 'INVALID_MSGPACK'],
];

for (const [name, body, contentType, status, code] of REFUSALS) {
  test(`answers ${name} with ${status} ${code} and stores nothing`, async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url);
    const reply = await post(`${url}/tasks`, Buffer.from(body, 'latin1'), contentType);
    assert.equal(reply.status, status);
    assert.equal(reply.body.error?.code, code);
    assert.ok((reply.body.error?.message ?? '').length > 10);
    assert.equal(await redis.client.exists(stream), 0);
  });
}

test('removes control characters and lone surrogates, and nothing else', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const body = '{"data":{"t":"a\\u0000b\\ud800c\\n\\ud83d\\ude00","n":12345678901234567890}}';
  assert.equal((await post(`${url}/tasks`, body)).status, 202);
  const [entry] = await entriesOf(redis.client, stream);
  assert.equal(entry?.payload, '{"data":{"t":"abc\\n\\ud83d\\ude00","n":12345678901234567890}}');
});

test('refuses a body over the limit from its Content-Length, and the connection can be used again', async (t) => {
  const { port, stream } = await runEngine(t, redis.server.url, { maxPayloadSize: 1000 });
  const tooLarge = `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n`;
  const next = `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"data":1}`;
  const { text, closed } = await exchange(port, [tooLarge, ' '.repeat(1001), next], /"task_id"/);
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /PAYLOAD_TOO_LARGE.*1001 bytes; allowed: up to 1000 bytes/);
  assert.equal(closed, false);
  assert.equal(await redis.client.xlen(stream), 1);
});

test('closes the connection rather than read a body far over the limit', async (t) => {
  const { port } = await runEngine(t, redis.server.url, { maxPayloadSize: 1000 });
  const head = `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n`;
  const { text, closed } = await exchange(port, [head]);
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.equal(closed, true);
});

test('takes a body of exactly the limit', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { maxPayloadSize: 1000 });
  const body = `{"data":"${'x'.repeat(1000 - 11)}"}`;
  assert.equal(body.length, 1000);
  assert.equal((await post(`${url}/tasks`, body)).status, 202);
  assert.equal((await post(`${url}/tasks`, `${body} `)).status, 413);
});

const CHUNKED =
  'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';

test('answers 411 to a chunked body unless they are allowed', async (t) => {
  const { port } = await runEngine(t, redis.server.url);
  const { text } = await exchange(port, [`${CHUNKED}a\r\n{"data":1}\r\n0\r\n\r\n`]);
  assert.match(text, /^HTTP\/1\.1 411 .*LENGTH_REQUIRED/s);
});

test('takes a chunked body of as many bytes as it may have, and not one more', async (t) => {
  const { port } = await runEngine(t, redis.server.url, { allowChunked: true, maxPayloadSize: 1000 });
  for (const [bytes, status] of [
    [1000, 202],
    [1001, 413],
  ] as const) {
    const body = `{"data":"${'x'.repeat(bytes - 11)}"}`;
    assert.equal(body.length, bytes);
    const { text } = await exchange(
      port,
      [`${CHUNKED}${bytes.toString(16)}\r\n${body}\r\n0\r\n\r\n`],
      /\r\n\r\n/,
    );
    assert.equal(text.split(' ')[1], String(status), `${bytes} bytes`);
  }
});

test('cuts a chunked body off where it passes the limit', async (t) => {
  const { port, stream } = await runEngine(t, redis.server.url, { allowChunked: true, maxPayloadSize: 1000 });
  const chunk = `1f4\r\n${' '.repeat(500)}\r\n`;
  const { text, closed } = await exchange(port, [CHUNKED, chunk, chunk, chunk, chunk]);
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.equal(closed, true);
  assert.equal(await redis.client.exists(stream), 0);
});

test('puts a body together that arrives in many pieces', async (t) => {
  const { port, stream } = await runEngine(t, redis.server.url);
  const body = `{"data":"${'ü'.repeat(200)}"}`;
  const head = `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const pieces = [...Buffer.from(body)].map((byte) => Buffer.from([byte]));
  const { text } = await exchange(port, [head, ...pieces], /"task_id"/);
  assert.match(text, /^HTTP\/1\.1 202 /);
  assert.equal((await entriesOf(redis.client, stream))[0]?.payload, body);
});

const BODY = '{"data":1}';
const AMBIGUOUS: [name: string, headers: string][] = [
  ['two Content-Lengths', `Host: x\r\nContent-Length: ${BODY.length}\r\nContent-Length: 4`],
  ['two Hosts', `Host: x\r\nHost: y\r\nContent-Length: ${BODY.length}`],
  [
    'Transfer-Encoding and Content-Length',
    `Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: ${BODY.length}`,
  ],
  ['a Transfer-Encoding other than chunked', 'Host: x\r\nTransfer-Encoding: gzip, chunked'],
  ['no Host', `Content-Length: ${BODY.length}`],
];

for (const [name, headers] of AMBIGUOUS) {
  test(`refuses a request with ${name} and closes the connection`, async (t) => {
    const { port, stream } = await runEngine(t, redis.server.url, { allowChunked: true });
    const head = `POST /tasks HTTP/1.1\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`;
    const { text, closed } = await exchange(port, [head + BODY]);
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.equal(closed, true);
    assert.equal(await redis.client.exists(stream), 0);
  });
}

test('names what there is where nothing is, and the method where it is the wrong one', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { taskTypes: [mail] });
  assert.equal((await post(`${url}/nothing`, BODY)).body.error?.code, 'NOT_FOUND');
  const unknown = await post(`${url}/tasks/mail.sent`, BODY);
  assert.equal(unknown.status, 404);
  assert.match(
    unknown.body.error?.message ?? '',
    /allowed: mail\.send; a task without a type is sent to \/tasks$/,
  );
  const get = await fetch(`${url}/tasks`);
  assert.equal(get.status, 405);
  assert.equal(get.headers.get('allow'), 'POST');
  assert.match(await get.text(), /METHOD_NOT_ALLOWED/);
});

test('reports health, liveness and readiness', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { serviceVersion: '9.8.7' });
  const health = await fetch(`${url}/health`);
  assert.equal(health.status, 200);
  const body = (await health.json()) as Record<string, unknown>;
  assert.deepEqual(
    { ...body, timestamp: undefined },
    {
      status: 'healthy',
      redis_connected: true,
      version: '9.8.7',
      timestamp: undefined,
      redis: { breaker: 'closed', refused: [] },
    },
  );
  for (const path of ['livez', 'readyz']) {
    const response = await fetch(`${url}/${path}`);
    assert.equal(response.status, 200);
    await response.text();
  }
});

test('in mode received, answers once the task is valid and queued', async (t) => {
  const { url, stream, engine } = await runEngine(t, redis.server.url, { ackMode: 'received' });
  const reply = await post(`${url}/tasks`, BODY);
  assert.equal(reply.status, 202);
  assert.equal(reply.body.ack, 'received');
  await engine.stop();
  assert.equal((await entriesOf(redis.client, stream))[0]?.task_id, reply.body.task_id);
});
