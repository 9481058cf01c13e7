import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { defineTaskType, digestOfApiKey, newApiKey, queueKeys } from '@sluice/contract';
import { waitFor } from '@sluice/testbed';
import { Type } from 'typebox';
import { entriesOf, exchange, post, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';
const UNKNOWN = '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d';
const taskTypes = [defineTaskType('mail', Type.Number()), defineTaskType('report', Type.Number())];

interface Answer {
  status: number;
  headers: Headers;
  body: {
    task_id?: string;
    type?: string;
    status?: string;
    run_at?: string;
    queued_at?: string;
    error?: { code: string; message: string };
  };
}

async function ask(url: string, id: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${url}/tasks/${id}`, { headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  };
}

async function sendOne(url: string, body = BODY, headers: Record<string, string> = {}): Promise<string> {
  const { status, body: answer } = await post(url, body, 'application/json', headers);
  assert.equal(status, 202);
  return answer.task_id ?? '';
}

function keysFile(t: TestContext, lines: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys');
  writeFileSync(file, lines);
  return file;
}

test('every way a task can be taken in leaves a status behind', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { taskTypes, trackTasks: true });
  const traced = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const ids: Record<string, string> = {
    plain: await sendOne(`${url}/tasks`),
    'with a trace': await sendOne(`${url}/tasks`, BODY, traced),
    typed: await sendOne(`${url}/tasks/mail`),
    received: await sendOne(`${url}/tasks`, BODY, { Prefer: 'ack=received' }),
    'with a key': await sendOne(`${url}/tasks`, BODY, { 'Idempotency-Key': 'k' }),
  };
  const batch = await post(`${url}/tasks/batch`, `[${BODY},${BODY}]`);
  const [one = '', two = ''] = (batch.body as { task_ids?: string[] }).task_ids ?? [];
  Object.assign(ids, { 'first of a batch': one, 'second of a batch': two });
  for (const [how, id] of Object.entries(ids)) {
    await waitFor(async () => (await ask(url, id)).status === 200, { timeoutMs: 20_000, what: how });
    const { body, headers } = await ask(url, id.toUpperCase());
    assert.equal(body.task_id, id, how);
    assert.deepEqual([body.status, body.type], ['queued', how === 'typed' ? 'mail' : 'default'], how);
    assert.ok(Math.abs(Date.parse(body.queued_at ?? '') - Date.now()) < 60_000, how);
    assert.equal(headers.get('cache-control'), 'no-store');
  }
  const [entry] = await entriesOf(redis.client, stream);
  assert.equal(entry?.payload, BODY);
  assert.equal(entry?.tracked, '86400000');
});

test('a task that was put off is queued until it is due, also with a key and in a batch', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { trackTasks: true, trackTtlSeconds: 100 });
  const delayed = '{"data":1,"delay":3600}';
  const batch = await post(`${url}/tasks/batch`, `[${delayed}]`);
  const [inBatch = ''] = (batch.body as { task_ids?: string[] }).task_ids ?? [];
  for (const id of [
    await sendOne(`${url}/tasks`, delayed),
    await sendOne(`${url}/tasks`, delayed, { 'Idempotency-Key': 'k' }),
    inBatch,
  ]) {
    const { body } = await ask(url, id);
    assert.equal(body.status, 'queued');
    assert.ok(Math.abs(Date.parse(body.run_at ?? '') - Date.now() - 3_600_000) < 60_000);
    assert.equal(body.queued_at, undefined);
    const left = await redis.client.pttl(queueKeys(stream).tracked(stream, id));
    assert.ok(left > 3_600_000 && left <= 3_700_000, 'it is kept for 100 s from when it is due');
  }
});

test('a task sent again with its key has the status of the first', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { trackTasks: true });
  const key = { 'Idempotency-Key': 'k' };
  const id = await sendOne(`${url}/tasks`, BODY, key);
  assert.equal(await sendOne(`${url}/tasks`, BODY, key), id);
  assert.equal((await ask(url, id)).body.status, 'queued');
  assert.equal((await redis.client.keys(`task:{${stream}}:*`)).length, 1);
});

test('an id that is unknown, or was for longer than TRACK_TTL, is 404, and the answer says what is allowed', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { trackTasks: true, trackTtlSeconds: 100 });
  const unknown = await ask(url, UNKNOWN);
  assert.deepEqual([unknown.status, unknown.body.error?.code], [404, 'TASK_NOT_FOUND']);
  assert.match(unknown.body.error?.message ?? '', /allowed: the task_id of a 202, for TRACK_TTL seconds/);
  const id = await sendOne(`${url}/tasks`);
  assert.equal((await ask(url, id)).status, 200);
  const key = queueKeys(stream).tracked(stream, id);
  const left = await redis.client.pttl(key);
  assert.ok(left > 0 && left <= 100_000, `${left} ms`);
  await redis.client.pexpire(key, 1); // its time passes sooner
  await waitFor(async () => (await ask(url, id)).status === 404, { timeoutMs: 20_000, what: 'expiry' });
});

test('what is no task id is 400, and a path for tasks is still 405', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { taskTypes, trackTasks: true });
  for (const id of ['1', 'nomail', `${UNKNOWN}0`, `${UNKNOWN.slice(0, -1)}g`, '%00']) {
    const { status, body } = await ask(url, id);
    assert.deepEqual([status, body.error?.code], [400, 'INVALID_TASK_ID'], id);
    assert.match(body.error?.message ?? '', /allowed: .* a UUID such as/);
  }
  for (const id of ['mail', 'batch']) {
    const { status, headers } = await ask(url, id);
    assert.deepEqual([status, headers.get('allow')], [405, 'POST'], id);
  }
});

test('HEAD is answered as GET without a body', async (t) => {
  const { url, port } = await runEngine(t, redis.server.url, { trackTasks: true });
  const id = await sendOne(`${url}/tasks`);
  const head = (of: string) => `HEAD /tasks/${of} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const { text } = await exchange(port, [head(id)], /\r\n\r\n/);
  assert.match(text, /^HTTP\/1.1 200 OK\r\n(?:.*\r\n)*Content-Length: \d\d+\r\n(?:.*\r\n)*\r\n$/);
  assert.match((await exchange(port, [head(UNKNOWN)], /\r\n\r\n/)).text, /^HTTP\/1.1 404 /);
});

test('without tracking, nothing is kept, and the answer names TRACK_TASKS', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const id = await sendOne(`${url}/tasks`);
  const { status, body } = await ask(url, id);
  assert.deepEqual([status, body.error?.code], [404, 'TRACKING_OFF']);
  assert.match(body.error?.message ?? '', /TRACK_TASKS=true/);
  assert.deepEqual(await redis.client.keys(`task:{${stream}}:*`), []);
  const [entry] = await entriesOf(redis.client, stream);
  assert.equal(entry?.tracked, undefined);
});

test('the holder of an API key sees the tasks it may send, and of no others that they exist', async (t) => {
  const [shop, ops] = [newApiKey(), newApiKey()];
  const lines = `shop mail ${digestOfApiKey(shop)}\nops * ${digestOfApiKey(ops)}\n`;
  const { url } = await runEngine(t, redis.server.url, {
    taskTypes,
    trackTasks: true,
    apiKeysFile: keysFile(t, lines),
  });
  const as = (key: string) => ({ Authorization: `Bearer ${key}` });
  const mail = await sendOne(`${url}/tasks/mail`, BODY, as(shop));
  const report = await sendOne(`${url}/tasks/report`, BODY, as(ops));
  const untyped = await sendOne(`${url}/tasks`, BODY, as(ops));
  assert.equal((await ask(url, mail, as(shop))).status, 200);
  const unknown = await ask(url, UNKNOWN, as(shop));
  for (const id of [report, untyped]) {
    assert.deepEqual((await ask(url, id, as(shop))).body, unknown.body);
    assert.equal((await ask(url, id, as(ops))).status, 200);
  }
  for (const id of [mail, UNKNOWN, 'nonsense', 'mail']) {
    assert.equal((await ask(url, id)).status, 401);
    assert.equal((await ask(url, id, as('wrong'))).status, 401);
  }
});

test('a web page may read the status where CORS lets it', async (t) => {
  const corsOrigins = 'https://app.example.org';
  const { url } = await runEngine(t, redis.server.url, { trackTasks: true, corsOrigins });
  const id = await sendOne(`${url}/tasks`);
  for (const asked of [id, UNKNOWN]) {
    const { headers } = await ask(url, asked, { Origin: corsOrigins });
    assert.equal(headers.get('access-control-allow-origin'), corsOrigins);
  }
  const { headers } = await ask(url, id, { Origin: 'https://evil.example' });
  assert.equal(headers.get('access-control-allow-origin'), null);
});

test('a task that was deleted is gone, and not done', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, {
    trackTasks: true,
    streamMaxlen: 1,
    streamOverflow: 'drop-oldest',
  });
  const id = await sendOne(`${url}/tasks`);
  await redis.client.xgroup('CREATE', stream, 'g', '0');
  assert.equal((await ask(url, id)).body.status, 'queued');
  await redis.client.xtrim(stream, 'MAXLEN', 0);
  assert.equal((await ask(url, id)).body.status, 'gone');
});

test('a client that has left before the answer does no harm', async (t) => {
  const { url, engine, port } = await runEngine(t, redis.server.url, { trackTasks: true });
  const id = await sendOne(`${url}/tasks`);
  redis.server.pause();
  t.after(() => redis.server.resume());
  const leaving = connect(port, '127.0.0.1');
  leaving.write(`GET /tasks/${id} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const waiting = (): boolean => engine.counters.inFlightRequests === 1;
  await waitFor(waiting, { timeoutMs: 20_000, what: 'the request to come in' });
  leaving.destroy();
  redis.server.resume();
  await waitFor(() => !waiting(), { timeoutMs: 20_000, what: 'the answer of Redis' });
  await waitFor(async () => (await ask(url, id)).body.status === 'queued', {
    timeoutMs: 20_000,
    what: 'the next to be answered',
  });
});

test('the status of a task is in the OpenAPI document only where there is one', async (t) => {
  const documentOf = async (trackTasks: boolean) => {
    const { url } = await runEngine(t, redis.server.url, { trackTasks });
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, { get?: { responses: Record<string, unknown> } }>;
      components: { schemas: Record<string, unknown> };
    };
    return document;
  };
  const on = await documentOf(true);
  assert.deepEqual(Object.keys(on.paths['/tasks/{id}']?.get?.responses ?? {}), [
    '200',
    '400',
    '404',
    '500',
    '503',
  ]);
  assert.ok(on.components.schemas.TaskStatus);
  const off = await documentOf(false);
  assert.equal(off.paths['/tasks/{id}'], undefined);
  assert.equal(off.components.schemas.TaskStatus, undefined);
});
