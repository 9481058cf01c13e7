import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { defineTaskType, queueKeys } from '@sluice/contract';
import { pickFrom, seededRandom, startProcess, startRedis, startTcpProxy, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { pack } from 'msgpackr';
import { Type } from 'typebox';
import { entriesOf, exchange, post, type Reply, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":{"pay":1}}';
const JSON_TYPE = 'application/json';

function postOnce(url: string, key: string, body: string | Buffer = BODY, type = JSON_TYPE): Promise<Reply> {
  return post(url, body, type, { 'Idempotency-Key': key });
}

function assertRefused(reply: Reply, status: number, code: string): void {
  assert.equal(reply.body.error?.code, code);
  assert.equal(reply.status, status);
}

function assertReplayed(reply: Reply, first: Reply): void {
  assert.equal(reply.status, 202);
  assert.equal(reply.headers.get('idempotency-replayed'), 'true');
  assert.deepEqual(reply.body, first.body);
}

test('the same key again: the id of the first task, and nothing appended; also quoted, and to another engine', async (t) => {
  const { url, stream, engine } = await runEngine(t, redis.server.url);
  const other = await runEngine(t, redis.server.url, { streamName: stream });
  const first = await postOnce(`${url}/tasks`, 'order-17');
  assert.equal(first.status, 202);
  assert.equal(first.body.ack, 'appended');
  assert.equal(first.headers.get('idempotency-replayed'), null);
  assertReplayed(await postOnce(`${url}/tasks`, 'order-17'), first);
  assertReplayed(await postOnce(`${other.url}/tasks`, '"order-17"'), first);
  const another = await postOnce(`${url}/tasks`, 'order-18');
  assert.notEqual(another.body.task_id, first.body.task_id);
  const ids = (await entriesOf(redis.client, stream)).map((entry) => entry.task_id);
  assert.deepEqual(ids, [first.body.task_id, another.body.task_id]);
  assert.equal(engine.counters.replayed, 1);
  assert.equal(engine.counters.appended, 2);
  assert.equal(engine.counters.accepted, 3);
});

test('an entry with a key has the same fields as one without, byte for byte', async (t) => {
  const mail = defineTaskType('mail', Type.Object({ text: Type.String() }));
  const { url, stream } = await runEngine(t, redis.server.url, { taskTypes: [mail] });
  for (const [type, body] of [
    [JSON_TYPE, '{"data": {"text": "ü€😀"}}'],
    ['application/msgpack', pack({ data: { text: 'ü€😀' } })],
  ] as const) {
    const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
    await post(`${url}/tasks/mail`, body, type, headers);
    await post(`${url}/tasks/mail`, body, type, { ...headers, 'Idempotency-Key': randomUUID() });
    const [plain, once] = await redis.client.xrangeBuffer(`${stream}:mail`, '-', '+');
    const [, plainFields = []] = plain ?? [];
    const [, onceFields = []] = once ?? [];
    const own = [1, 3]; // id and time
    for (const [i, field] of plainFields.entries())
      if (!own.includes(i)) assert.deepEqual(onceFields[i], field);
    assert.equal(onceFields.length, plainFields.length);
    await redis.client.del(`${stream}:mail`);
  }
});

test('a key counts for its task type alone, whatever it looks like', async (t) => {
  const types = ['mail', 'retries'].map((name) => defineTaskType(name, Type.Any()));
  const { url, stream } = await runEngine(t, redis.server.url, { taskTypes: types });
  const ids = new Set<unknown>();
  for (const key of ['k', 'mail:k', 'mail}:k', 'retries:processors', 'default']) {
    for (const path of ['tasks', 'tasks/mail', 'tasks/retries']) {
      const reply = await postOnce(`${url}/${path}`, key);
      assert.equal(reply.headers.get('idempotency-replayed'), null);
      ids.add(reply.body.task_id);
    }
  }
  assert.equal(ids.size, 15);
  assert.equal((await redis.client.keys(`${stream}*`)).length, 3);
});

test('the same key with another body or media type: 422, and nothing appended', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const first = await postOnce(`${url}/tasks`, 'k');
  const asMsgpack = postOnce(`${url}/tasks`, 'k', pack(JSON.parse(BODY)), 'application/msgpack');
  assertRefused(await asMsgpack, 422, 'IDEMPOTENCY_KEY_REUSED');
  for (const body of ['{"data":{"pay":2}}', `${BODY} `, '{"data":{"pay":1},"delay":60}']) {
    assertRefused(await postOnce(`${url}/tasks`, 'k', body), 422, 'IDEMPOTENCY_KEY_REUSED');
  }
  assertReplayed(await postOnce(`${url}/tasks`, 'k'), first);
  assert.equal(await redis.client.xlen(stream), 1);
});

test('a malformed key: 400, and nothing appended', async (t) => {
  const { url, port, stream } = await runEngine(t, redis.server.url);
  for (const key of ['k'.repeat(256), 'a, b', '"a', 'ü']) {
    assertRefused(await postOnce(`${url}/tasks`, key), 400, 'INVALID_IDEMPOTENCY_KEY');
  }
  for (const headers of [
    ['Idempotency-Key: '],
    ['Idempotency-Key: a', 'Idempotency-Key: b'],
    ['Idempotency-Key: a', 'Idempotency-Key: a'],
  ]) {
    const head = ['POST /tasks HTTP/1.1', 'Host: x', `Content-Type: ${JSON_TYPE}`, ...headers];
    const bytes = [...head, `Content-Length: ${BODY.length}`, '', BODY].join('\r\n');
    const { text } = await exchange(port, [bytes], /\}\}$/);
    assert.match(text, /^HTTP\/1\.1 400 .*"INVALID_IDEMPOTENCY_KEY"/s);
  }
  assert.equal(await redis.client.exists(stream), 0);
});

test('a batch with a key: 400, and nothing appended, rather than tasks that are stored again with it', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  assertRefused(await postOnce(`${url}/tasks/batch`, 'k', `[${BODY}]`), 400, 'INVALID_IDEMPOTENCY_KEY');
  assert.equal(await redis.client.exists(stream), 0);
  assert.equal((await post(`${url}/tasks/batch`, `[${BODY}]`)).status, 202);
});

test('delayed tasks: stored once, and answered with the time of the first', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const { due } = queueKeys(stream).schedule(stream);
  for (const timing of ['"delay":60', '"run_at":"2026-12-31T09:00:00Z"', '"delay":0']) {
    const body = `{"data":1,${timing}}`;
    const key = randomUUID();
    const first = await postOnce(`${url}/tasks`, key, body);
    assert.equal(first.status, 202);
    assertReplayed(await postOnce(`${url}/tasks`, key, body), first);
    const stored = (await redis.client.zcard(due)) + (await redis.client.xlen(stream));
    assert.equal(stored, 1);
    await redis.client.del(stream, ...Object.values(queueKeys(stream).schedule(stream)));
  }
});

test('a key is known for IDEMPOTENCY_TTL, and then new', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { idempotencyTtlSeconds: 100 });
  const key = queueKeys(stream).idempotency(stream, 'k', '');
  const first = await postOnce(`${url}/tasks`, 'k');
  const left = await redis.client.pttl(key);
  assert.ok(left > 90_000 && left <= 100_000);
  await redis.client.pexpire(key, 50_000);
  assertReplayed(await postOnce(`${url}/tasks`, 'k'), first);
  assert.ok((await redis.client.pttl(key)) <= 50_000, 'asking again does not make it last longer');
  await redis.client.pexpire(key, 1);
  await waitFor(async () => (await redis.client.exists(key)) === 0, { timeoutMs: 20_000, what: 'the end' });
  const second = await postOnce(`${url}/tasks`, 'k');
  assert.equal(second.headers.get('idempotency-replayed'), null);
  assert.notEqual(second.body.task_id, first.body.task_id);
});

test('a task that was refused leaves no key behind, and can be sent again with it', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { scheduleMaxlen: 1 });
  const delayed = '{"data":1,"delay":60}';
  assert.equal((await post(`${url}/tasks`, delayed)).status, 202);
  assertRefused(await postOnce(`${url}/tasks`, 'k', delayed), 503, 'OVERLOADED');
  await redis.client.set(stream, 'no stream');
  assertRefused(await postOnce(`${url}/tasks`, 'k'), 503, 'APPEND_REFUSED');
  assertRefused(await postOnce(`${url}/tasks`, 'k', '{"data":'), 400, 'INVALID_JSON');
  await redis.client.del(stream);
  assert.deepEqual(await redis.client.keys(`idempotency:{${stream}*`), []);
  const reply = await postOnce(`${url}/tasks`, 'k');
  assert.equal(reply.status, 202);
  assert.equal(reply.headers.get('idempotency-replayed'), null);
});

test('a key in Redis that no engine has written is nobody’s task: 422', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  await redis.client.set(queueKeys(stream).idempotency(stream, 'k', ''), 'what\r\n-is this');
  assertRefused(await postOnce(`${url}/tasks`, 'k'), 422, 'IDEMPOTENCY_KEY_REUSED');
  await redis.client.lpush(queueKeys(stream).idempotency(stream, 'l', ''), 'a list');
  assertRefused(await postOnce(`${url}/tasks`, 'l'), 503, 'APPEND_REFUSED');
  assert.equal((await postOnce(`${url}/tasks`, 'm')).status, 202);
  assert.equal(await redis.client.xlen(stream), 1);
});

test('ACK_MODE=received: a task with a key is waited for, since only Redis knows whose id to answer with', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { ackMode: 'received' });
  const first = await postOnce(`${url}/tasks`, 'k');
  assert.equal(first.body.ack, 'appended');
  assertReplayed(await postOnce(`${url}/tasks`, 'k'), first);
  assert.equal(await redis.client.xlen(stream), 1);
});

test('with drop-oldest, tasks with keys make room for themselves', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, {
    streamMaxlen: 100,
    streamOverflow: 'drop-oldest',
  });
  for (let sent = 0; sent < 500; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => postOnce(`${url}/tasks`, randomUUID())));
  // Redis trims whole nodes of the stream, of up to 100 entries.
  assert.ok((await redis.client.xlen(stream)) <= 200);
});

test('an append that stayed unconfirmed can be sent again with its key: it is there once', async (t) => {
  const proxy = await startTcpProxy(redis.server.port);
  t.after(() => proxy.close());
  const { url, stream, engine } = await runEngine(t, `redis://127.0.0.1:${proxy.port}`, {
    appendTimeoutSeconds: 0.3,
  });
  for (let round = 0; round < 5; round++) {
    const key = randomUUID();
    proxy.dropReplies(true);
    const lost = await postOnce(`${url}/tasks`, key, `{"data":${round}}`);
    assertRefused(lost, 503, 'APPEND_UNCONFIRMED');
    proxy.dropReplies(false);
    await waitFor(() => engine.ready, { timeoutMs: 20_000, what: 'the engine to be ready' });
    let again = lost;
    await waitFor(
      async () => {
        again = await postOnce(`${url}/tasks`, key, `{"data":${round}}`);
        return again.status !== 503; // a Redis that does not run for so long makes it unconfirmed again
      },
      { timeoutMs: 20_000, what: 'a confirmation' },
    );
    assert.equal(again.status, 202);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    const entries = await entriesOf(redis.client, stream);
    assert.equal(entries.length, round + 1);
    assert.equal(entries.at(-1)?.task_id, again.body.task_id);
  }
});

test('a Redis killed and restarted: what was answered 202 with a key is known with it', async (t) => {
  const server = await startRedis({ persistent: true });
  t.after(() => server.stop());
  const { url, stream, engine } = await runEngine(t, server.url);
  const keys = Array.from({ length: 50 }, () => randomUUID());
  const first = await Promise.all(keys.map((key) => postOnce(`${url}/tasks`, key)));
  await server.kill();
  await waitFor(() => !engine.ready, { timeoutMs: 20_000, what: 'the engine to notice' });
  await server.restart();
  await waitFor(() => engine.ready, { timeoutMs: 20_000, what: 'the engine to be ready' });
  const again = await Promise.all(keys.map((key) => postOnce(`${url}/tasks`, key)));
  for (const [i, reply] of again.entries()) assertReplayed(reply, first[i] as Reply);
  const client = new Redis(server.url);
  const stored = await client.xlen(stream);
  client.disconnect();
  assert.equal(stored, keys.length);
});

/**
 * Two engine processes are sent the same keys over many connections, at random and all at once. Returns for how many
 * keys the stream has not exactly one entry, or some answer does not name it.
 */
async function brokenKeys(t: TestContext, seed: number, broken?: string): Promise<number> {
  const stream = `test-${randomUUID()}:stream`;
  const env: Record<string, string> = { REDIS_URL: redis.server.url, REDIS_STREAM_NAME: stream };
  if (broken !== undefined) env.ENGINE_BREAK = broken;
  const program = new URL('./breakable-engine.js', import.meta.url).pathname;
  const engines = [startProcess(program, env), startProcess(program, env)];
  t.after(() => {
    for (const engine of engines) engine.signal('SIGKILL');
  });
  const urls = await Promise.all(engines.map(async (one) => ((await one.ready) as { url: string }).url));
  for (const url of urls) {
    await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: 20_000, what: 'readiness' });
  }

  const random = seededRandom(seed);
  const keys = Array.from({ length: 80 }, () => randomUUID());
  const answers = new Map<string, Set<string>>(keys.map((key) => [key, new Set()]));
  const plan = keys.flatMap((key) => Array.from({ length: 6 }, () => ({ key, order: random() })));
  // Mostly neighbours have the same key, and reach both engines at about the same time.
  plan.sort((a, b) => keys.indexOf(a.key) + 4 * a.order - keys.indexOf(b.key) - 4 * b.order);
  const connection = async (): Promise<void> => {
    for (let next = plan.shift(); next !== undefined; next = plan.shift()) {
      const reply = await postOnce(`${pickFrom(urls, random)}/tasks`, next.key, `{"data":"${next.key}"}`);
      if (reply.status === 503) {
        plan.unshift(next); // the machine stood still: what a key is for
        continue;
      }
      assert.equal(reply.status, 202);
      answers.get(next.key)?.add(reply.body.task_id ?? '');
    }
  };
  await Promise.all(Array.from({ length: 24 }, connection));

  const stored = new Map<string, string[]>();
  for (const { payload, task_id } of await entriesOf(redis.client, stream)) {
    const key = (JSON.parse(payload ?? '') as { data: string }).data;
    stored.set(key, [...(stored.get(key) ?? []), task_id ?? '']);
  }
  return keys.filter((key) => {
    const entries = stored.get(key) ?? [];
    const told = answers.get(key) ?? new Set();
    return entries.length !== 1 || told.size !== 1 || !told.has(entries[0] ?? '');
  }).length;
}

test('whoever sends which key when, to two engine processes: one entry for each, and all answers name it', async (t) => {
  for (const seed of [1, 2, 3]) assert.equal(await brokenKeys(t, seed), 0, `seed ${seed}`);
});

test('looking first and storing then is caught by the same', async (t) => {
  assert.ok((await brokenKeys(t, 1, 'idempotency-in-steps')) > 0);
});
