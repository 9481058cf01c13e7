import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { defineTaskType, queueKeys } from '@sluice/contract';
import { type RedisServer, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { pack } from 'msgpackr';
import { Type } from 'typebox';
import { entriesOf, post, type Reply, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const DUE_IN_MS = 60_000;

/** What the schedule of a stream holds: when each task is due, and its fields, which Redis itself unpacks. */
async function scheduled(client: Redis, stream: string): Promise<{ due: number; fields: string[] }[]> {
  const { due, tasks } = queueKeys(stream).schedule(stream);
  const times = await client.zrangebyscore(due, '-inf', 'inf', 'WITHSCORES');
  const found: { due: number; fields: string[] }[] = [];
  for (let i = 0; i + 1 < times.length; i += 2) {
    const unpacked = "return cmsgpack.unpack(redis.call('HGET', KEYS[1], ARGV[1]))";
    const fields = (await client.eval(unpacked, 1, tasks, times[i] ?? '')) as string[];
    found.push({ due: Number(times[i + 1]), fields });
  }
  assert.equal(await client.hlen(tasks), found.length);
  return found;
}

const inAMinute = () => new Date(Date.now() + DUE_IN_MS).toISOString();

for (const [encoding, encode] of [
  ['application/json', (body: object) => Buffer.from(JSON.stringify(body))],
  ['application/msgpack', (body: object) => pack(body)],
] as const) {
  test(`${encoding}: a delayed task is stored with all its fields, and is not in the stream`, async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url);
    const before = Date.now();
    for (const timing of [{ delay: DUE_IN_MS / 1000 }, { run_at: inAMinute() }]) {
      const body = encode({ data: { text: 'ü\u0080' }, metadata: { a: 1 }, ...timing });
      const reply = await post(`${url}/tasks`, body, encoding);
      assert.equal(reply.status, 202);
      assert.equal(reply.body.ack, 'appended');
      const [task, ...others] = await scheduled(redis.client, stream);
      assert.equal(others.length, 0);
      assert.deepEqual(task?.fields.slice(0, 2), ['task_id', reply.body.task_id]);
      assert.deepEqual(task?.fields.slice(4, 9), ['type', 'default', 'content_type', encoding, 'payload']);
      const { tasks } = queueKeys(stream).schedule(stream);
      assert.ok((await redis.client.hvalsBuffer(tasks))[0]?.includes(body), 'byte for byte');
      assert.ok((task?.due ?? 0) >= before + DUE_IN_MS - 5);
      assert.ok((task?.due ?? 0) <= Date.now() + DUE_IN_MS + 5);
      assert.equal((reply.body as { run_at?: string }).run_at, new Date(task?.due ?? 0).toISOString());
      assert.equal(await redis.client.exists(stream), 0);
      await redis.client.del(...Object.values(queueKeys(stream).schedule(stream)));
    }
  });
}

test('a delay of 0, and a time in the past: the task is appended at once', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const ids: unknown[] = [];
  for (const timing of [
    { delay: 0 },
    { run_at: '1969-07-20T20:17:40Z' },
    { run_at: new Date().toISOString() },
  ]) {
    const reply = await post(`${url}/tasks`, JSON.stringify({ data: 1, ...timing }));
    assert.equal(reply.status, 202);
    assert.equal('run_at' in reply.body, false);
    ids.push(reply.body.task_id);
  }
  const entries = await entriesOf(redis.client, stream);
  assert.deepEqual(
    entries.map((entry) => entry.task_id),
    ids,
  );
  assert.deepEqual(Object.keys(entries[0] ?? {}), Object.keys(entries[1] ?? {}));
});

test('a delay that cannot be is answered 422 with its path, whatever the type, and nothing is stored', async (t) => {
  const mail = defineTaskType('mail', Type.Object({ to: Type.String() }));
  const { url, stream } = await runEngine(t, redis.server.url, {
    taskTypes: [mail],
    scheduleMaxDelaySeconds: 100,
  });
  for (const [timing, path] of [
    [{ delay: -1 }, '/delay'],
    [{ delay: 100.001 }, '/delay'],
    [{ delay: '5' }, '/delay'],
    [{ run_at: 'soon' }, '/run_at'],
    [{ run_at: '2100-01-01T00:00:00Z' }, '/run_at'],
    [{ delay: 1, run_at: inAMinute() }, '/run_at'],
  ] as const) {
    for (const at of ['tasks', 'tasks/mail']) {
      const reply = await post(`${url}/${at}`, JSON.stringify({ data: { to: 'a' }, ...timing }));
      assert.equal(reply.status, 422);
      assert.equal(reply.body.error?.code, 'VALIDATION_ERROR');
      assert.deepEqual(
        reply.body.error?.details?.map((fault) => fault.path),
        [path],
      );
    }
  }
  assert.deepEqual(await redis.client.keys(`${stream}*`), []);
});

test('a full schedule: 503 OVERLOADED and nothing stored, while undelayed tasks are taken', async (t) => {
  const { url, stream, events, engine } = await runEngine(t, redis.server.url, { scheduleMaxlen: 20 });
  const bodies = Array.from({ length: 50 }, () => JSON.stringify({ data: 1, delay: 60 }));
  const replies = await Promise.all(bodies.map((body) => post(`${url}/tasks`, body)));
  const refused = replies.filter(({ status }) => status !== 202);
  assert.equal(refused.length, 30);
  for (const { status, body, headers } of refused) {
    assert.equal(status, 503);
    assert.equal(body.error?.code, 'OVERLOADED');
    assert.equal(headers.get('retry-after'), '1');
  }
  assert.equal((await scheduled(redis.client, stream)).length, 20);
  assert.equal(await redis.client.hget(queueKeys(stream).schedule(stream).ledger, 'scheduled'), '20');
  assert.ok(events.some((event) => event.type === 'append-refused' && event.code === 'OVERLOADED'));
  assert.deepEqual(engine.counters.shed, { schedule: 30 });
  assert.ok(events.some((event) => event.type === 'shedding-started' && event.reason === 'schedule'));
  assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 202);
});

test('with drop-oldest, tasks that turn out to be due make room for themselves', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, {
    streamMaxlen: 100,
    streamOverflow: 'drop-oldest',
  });
  const body = JSON.stringify({ data: 1, run_at: '2020-01-01T00:00:00Z' });
  for (let sent = 0; sent < 600; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => post(`${url}/tasks`, body)));
  // Redis trims whole nodes of the stream, of up to 100 entries.
  assert.ok((await redis.client.xlen(stream)) <= 200);
});

test('a key of another type in place of the schedule: 503, nothing half stored, and undelayed tasks go on', async (t) => {
  for (const wrong of ['due', 'tasks', 'ledger'] as const) {
    const { url, stream } = await runEngine(t, redis.server.url);
    const keys = queueKeys(stream).schedule(stream);
    await redis.client.set(keys[wrong], 'mine');
    const reply = await post(`${url}/tasks`, '{"data":1,"delay":60}');
    assert.equal(reply.status, 503);
    assert.equal(reply.body.error?.code, 'APPEND_REFUSED');
    assert.deepEqual(await redis.client.keys(`${stream}*`), [keys[wrong]]);
    assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 202);
  }
});

test('without memory or as a replica, Redis refuses delayed tasks like others', async (t) => {
  const { server, client } = await ownRedis(t);
  const { url, stream } = await runEngine(t, server.url);
  const body = '{"data":1,"delay":60}';
  const refused = (reply: Reply) => reply.status === 503 && reply.body.error?.code === 'APPEND_REFUSED';
  await client.config('SET', 'maxmemory', '1');
  assert.ok(refused(await post(`${url}/tasks`, body)));
  await client.config('SET', 'maxmemory', '0');
  assert.equal((await post(`${url}/tasks`, body)).status, 202);
  await client.replicaof('127.0.0.1', 1);
  assert.ok(refused(await post(`${url}/tasks`, body)));
  await client.replicaof('NO', 'ONE');
  assert.equal((await scheduled(client, stream)).length, 1);
});

test('a Redis killed and restarted has every delayed task that was answered 202, due when it said', async (t) => {
  const { server, client } = await ownRedis(t);
  const { url, stream } = await runEngine(t, server.url);
  const accepted = new Map<string, string>();
  let stopped = false;
  const send = async (): Promise<void> => {
    while (!stopped) {
      const reply = await post(`${url}/tasks`, '{"data":1,"delay":60}');
      const { task_id, run_at } = reply.body as { task_id?: string; run_at?: string };
      if (reply.status === 202) accepted.set(task_id ?? '', run_at ?? '');
    }
  };
  const senders = Array.from({ length: 10 }, send);
  for (let kill = 1; kill <= 2; kill++) {
    const enough = accepted.size + 100;
    await waitFor(() => accepted.size >= enough, { timeoutMs: 20_000, what: 'tasks to be accepted' });
    await server.kill();
    await server.restart();
  }
  stopped = true;
  await Promise.all(senders);
  const stored = new Map(
    (await scheduled(client, stream)).map(({ due, fields }) => [fields[1], new Date(due).toISOString()]),
  );
  for (const [taskId, runAt] of accepted) assert.equal(stored.get(taskId), runAt);
});

async function ownRedis(t: { after(cleanUp: () => unknown): void }): Promise<{
  server: RedisServer;
  client: Redis;
}> {
  const server = await startRedis({ persistent: true });
  t.after(() => server.stop());
  const client = new Redis(server.url, { protocol: 2, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => {}); // a test takes the server away on purpose
  t.after(() => client.disconnect());
  return { server, client };
}

test('mode received: a delayed task is answered at once, and stored', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, {
    ackMode: 'received',
    streamName: `test-${randomUUID()}:stream`,
  });
  const reply = await post(`${url}/tasks`, '{"data":1,"delay":60}');
  assert.deepEqual(Object.keys(reply.body), ['task_id', 'ack']);
  await waitFor(async () => (await scheduled(redis.client, stream)).length === 1, {
    timeoutMs: 20_000,
    what: 'the task to be stored',
  });
});
