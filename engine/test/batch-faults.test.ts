import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { defineTaskType } from '@sluice/contract';
import type { EngineOptions } from '@sluice/engine';
import { type RedisServer, startRedis, startTcpProxy, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { Type } from 'typebox';
import { acceptedIds, type BatchReply, codesOf, postBatch } from './batch-fixture.js';
import { entriesOf, exchange, post, type RunningEngine, redisForFile, runEngine } from './fixture.js';

// What becomes of a batch where something is full, large, slow or gone.

const redis = redisForFile();

/** A JSON array of so many tasks. */
function batchOf(tasks: number, text = ''): string {
  return JSON.stringify(Array.from({ length: tasks }, (_, n) => ({ data: { n, text } })));
}

async function idsIn(client: Redis, stream: string): Promise<string[]> {
  return (await entriesOf(client, stream)).map((entry) => entry.task_id ?? '');
}

async function nothingInFlight({ engine }: RunningEngine): Promise<void> {
  await waitFor(
    () => {
      const { inFlightRequests, inFlightBytes, inFlightBatchTasks } = engine.counters;
      return inFlightRequests === 0 && inFlightBytes === 0 && inFlightBatchTasks === 0;
    },
    { timeoutMs: 20_000, what: 'nothing to be in flight' },
  );
}

const TOO_LARGE: [what: string, options: EngineOptions, fits: string, message: RegExp][] = [
  ['bytes', { maxBatchSize: 82 }, batchOf(3), /has 83 bytes; allowed: up to 82 bytes \(MAX_BATCH_SIZE\)/],
  [
    'bytes, as a process holds no more',
    { maxInFlightBytes: 82, maxPayloadSize: 50 },
    batchOf(3),
    /has 83 bytes; allowed: up to 82 bytes \(MAX_IN_FLIGHT_BYTES\)/,
  ],
  ['tasks', { maxBatchTasks: 3 }, batchOf(3), /has more than 3 tasks; allowed: up to 3 \(MAX_BATCH_TASKS\)/],
  [
    'tasks, as a stream holds no more',
    { streamMaxlen: 3 },
    batchOf(3),
    /has more than 3 tasks; allowed: up to 3 \(STREAM_MAXLEN\)/,
  ],
];

for (const [what, options, fits, message] of TOO_LARGE) {
  test(`too many ${what}: 413 that names the bound, and nothing is stored; one less is taken`, async (t) => {
    const running = await runEngine(t, redis.server.url, options);
    const url = `${running.url}/tasks/batch`;
    const larger = what.startsWith('bytes') ? `${fits} ` : fits.replace(']', ',{"data":1}]');
    const reply = await postBatch(url, larger);
    assert.equal(reply.status, 413);
    assert.equal(reply.body.error?.code, 'PAYLOAD_TOO_LARGE');
    assert.match(reply.body.error?.message ?? '', message);
    assert.equal(await redis.client.exists(running.stream), 0);
    assert.equal((await postBatch(url, fits)).status, 202);
    await nothingInFlight(running);
  });
}

test('a chunked batch is cut off where it passes the bound', async (t) => {
  const running = await runEngine(t, redis.server.url, { allowChunked: true, maxBatchSize: 1000 });
  const head = `POST /tasks/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunk = `1f4\r\n${' '.repeat(500)}\r\n`;
  const { text, closed } = await exchange(running.port, [head, chunk, chunk, chunk]);
  assert.match(text, /^HTTP\/1\.1 413 .*MAX_BATCH_SIZE/s);
  assert.equal(closed, true);
  await nothingInFlight(running);
});

test('a batch for which the backlog has no room is refused as a whole, and a smaller one is taken', async (t) => {
  const { url, stream, events } = await runEngine(t, redis.server.url, { streamMaxlen: 100 });
  assert.equal((await postBatch(`${url}/tasks/batch`, batchOf(60))).status, 202);
  const refused = await postBatch(`${url}/tasks/batch`, batchOf(41));
  assert.deepEqual([refused.status, refused.body.error?.code, refused.retryAfter], [503, 'OVERLOADED', '1']);
  assert.deepEqual(Object.keys(refused.body), ['error']);
  assert.equal(await redis.client.xlen(stream), 60);
  assert.ok(events.some((event) => event.type === 'shedding-started' && event.reason === 'backlog'));
  assert.equal((await postBatch(`${url}/tasks/batch`, batchOf(40))).status, 202);
  assert.equal((await post(`${url}/tasks`, '{"data":1}')).status, 503);
});

test('batches that come at once do not overshoot the bound on the backlog', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { streamMaxlen: 7000 });
  const replies = await Promise.all(
    Array.from({ length: 6 }, () => postBatch(`${url}/tasks/batch`, batchOf(3000))),
  );
  assert.deepEqual(replies.map(({ status }) => status).sort(), [202, 202, 503, 503, 503, 503]);
  assert.equal(await redis.client.xlen(stream), 6000);
});

test('with Redis paused: no more tasks than may be in flight, and each one taken in is unconfirmed', async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const running = await runEngine(t, server.url, {
    maxBatchTasks: 100,
    maxInFlightBatchTasks: 100,
    appendTimeoutSeconds: 0.5,
  });
  const url = `${running.url}/tasks/batch`;
  server.pause();
  const first = postBatch(url, batchOf(80));
  await waitFor(() => running.engine.counters.inFlightBatchTasks === 80, {
    timeoutMs: 20_000,
    what: '80 tasks',
  });
  assert.equal((await postBatch(url, batchOf(21))).body.error?.code, 'OVERLOADED');
  const { status, retryAfter, body } = await first;
  assert.deepEqual([status, retryAfter, body.error?.code], [503, '1', 'APPEND_UNCONFIRMED']);
  assert.equal(body.errors.length, 80);
  const down = await postBatch(url, batchOf(1));
  assert.deepEqual([down.status, down.body.error?.code], [503, 'REDIS_UNAVAILABLE']);
  server.resume();
  await nothingInFlight(running);
});

test('a Redis that is full in the middle of a batch: each task is answered by its own reply', async (t) => {
  const server = await startRedis({ config: { 'maxmemory-policy': 'noeviction' } });
  t.after(() => server.stop());
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const { url, stream } = await runEngine(t, server.url);
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', String(used + 1_500_000));
  const reply = await postBatch(`${url}/tasks/batch`, batchOf(3000, 'x'.repeat(1000)));
  assert.equal(reply.status, 207);
  assert.ok(reply.body.accepted > 0 && reply.body.refused > 0, JSON.stringify(reply.body).slice(0, 100));
  assert.ok(codesOf(reply).every(([, code]) => code === 'APPEND_REFUSED'));
  await client.config('SET', 'maxmemory', '0');
  assert.deepEqual(await idsIn(client, stream), acceptedIds(reply));
});

test('every third task is delayed, the schedule is full in between: ids and errors are those of their tasks', async (t) => {
  const { url, stream, engine } = await runEngine(t, redis.server.url, { scheduleMaxlen: 50 });
  const envelopes = Array.from({ length: 3000 }, (_, n) =>
    n % 3 === 0 ? { data: n, delay: 60 } : { data: n },
  );
  const reply = await postBatch(`${url}/tasks/batch`, JSON.stringify(envelopes));
  assert.deepEqual([reply.status, reply.body.accepted, reply.body.refused], [207, 2050, 950]);
  assert.deepEqual(
    reply.body.delayed?.map(({ index }) => index),
    Array.from({ length: 50 }, (_, n) => 3 * n),
  );
  assert.deepEqual(
    codesOf(reply),
    Array.from({ length: 950 }, (_, n) => [150 + 3 * n, 'OVERLOADED']),
  );
  assert.deepEqual(engine.counters.shed, { schedule: 1 }, 'requests, not tasks');
  for (const entry of await entriesOf(redis.client, stream)) {
    const { data } = JSON.parse(entry.payload ?? '') as { data: number };
    assert.equal(reply.body.task_ids[data], entry.task_id);
  }
});

test('a key of another type in place of the stream: refused, none is accepted', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, {
    taskTypes: [defineTaskType('broken', Type.Unknown())],
  });
  await redis.client.set(`${stream}:broken`, 'no stream');
  const reply = await postBatch(`${url}/tasks/broken/batch`, batchOf(10));
  assert.deepEqual([reply.status, reply.body.error?.code, reply.body.refused], [503, 'APPEND_REFUSED', 10]);
});

const TASKS = 5000;

interface Killed {
  reply: BatchReply;
  stored: string[];
}

/** Kills Redis in the middle of a batch, again when that came too late. */
async function killedInTheMiddle(t: TestContext, ackMode: 'appended' | 'received'): Promise<Killed> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const killed = await killedAfterTheFirst(t, ackMode);
    if (killed.stored.length < TASKS) return killed;
  }
  throw new Error('Redis had all tasks each time when it was killed');
}

/** Sends a batch and kills Redis as soon as some of its tasks are known to be appended. */
async function killedAfterTheFirst(t: TestContext, ackMode: 'appended' | 'received'): Promise<Killed> {
  const server: RedisServer = await startRedis({ persistent: true });
  t.after(() => server.stop());
  const { url, engine, stream } = await runEngine(t, server.url, { ackMode });
  const answer = postBatch(`${url}/tasks/batch`, batchOf(TASKS, 'x'.repeat(300)));
  // Between any two turns of the event loop, since all of it may be over a few turns later.
  while (engine.counters.appended === 0) await new Promise((resolve) => setImmediate(resolve));
  if (ackMode === 'received') {
    // The answer is given when all is handed in, however little of it Redis has read.
    server.pause();
    await answer;
  }
  process.kill(server.pid, 'SIGKILL');
  const reply = await answer;
  await server.restart();
  const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => {}); // the server may still be loading, or is gone when the test ends
  t.after(() => client.disconnect());
  return { reply, stored: await idsIn(client, stream) };
}

/** Ids that were answered as accepted, and are not stored. */
function missing({ reply, stored }: Killed): string[] {
  const ids = new Set(stored);
  return acceptedIds(reply).filter((id) => !ids.has(id));
}

test('Redis killed in the middle of a batch: what is answered as accepted is stored, and all else only where unconfirmed', async (t) => {
  const outcome = await killedInTheMiddle(t, 'appended');
  const { reply, stored } = outcome;
  const { accepted, refused, task_ids } = reply.body;
  assert.equal(accepted + refused, TASKS);
  assert.equal(task_ids.length, TASKS);
  assert.ok(accepted > 0 && refused > 0, `killed too late or too early: ${accepted} were accepted`);
  assert.equal(reply.status, 207);
  assert.deepEqual(missing(outcome), []);
  const codes = codesOf(reply).map(([, code]) => code);
  const unconfirmed = codes.filter((code) => code === 'APPEND_UNCONFIRMED').length;
  assert.equal(new Set(stored).size, stored.length);
  assert.ok(stored.length >= accepted && stored.length <= accepted + unconfirmed);
  assert.ok(codes.every((code) => code === 'APPEND_UNCONFIRMED' || code === 'REDIS_UNAVAILABLE'));
});

test('control: with ACK_MODE=received the same kill is seen to lose what was answered as accepted', async (t) => {
  const outcome = await killedInTheMiddle(t, 'received');
  assert.ok(missing(outcome).length > 0);
});

test('replies that are lost: every task is unconfirmed, and none is in the stream twice', async (t) => {
  const proxy = await startTcpProxy(redis.server.port);
  t.after(() => proxy.close());
  const { url, stream } = await runEngine(t, `redis://127.0.0.1:${proxy.port}`, {
    appendTimeoutSeconds: 0.3,
  });
  proxy.dropReplies(true);
  const reply = await postBatch(`${url}/tasks/batch`, batchOf(2500));
  assert.deepEqual([reply.status, reply.body.error?.code], [503, 'APPEND_UNCONFIRMED']);
  assert.ok(codesOf(reply).every(([, code]) => code === 'APPEND_UNCONFIRMED'));
  proxy.dropReplies(false);
  const stored = () => redis.client.xlen(stream);
  await waitFor(async () => (await stored()) >= 2500, { timeoutMs: 20_000, what: 'what is under way' });
  assert.equal(await stored(), 2500);
});

test('mode received: answered once all are validated and queued, and stored soon after', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { ackMode: 'received' });
  const reply = await postBatch(`${url}/tasks/batch`, '[{"data":1},{},{"data":2}]');
  assert.deepEqual([reply.status, reply.body.ack, reply.body.accepted], [207, 'received', 2]);
  await waitFor(async () => (await redis.client.xlen(stream)) === 2, {
    timeoutMs: 20_000,
    what: 'both tasks',
  });
  assert.deepEqual(await idsIn(redis.client, stream), acceptedIds(reply));
});

test('a client that leaves before its answer: of what had arrived whole all or nothing is stored, of the rest nothing', async (t) => {
  const running = await runEngine(t, redis.server.url);
  const body = batchOf(8000);
  const head = `POST /tasks/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  for (const [bytes, stored] of [
    [head.length + body.length - 1, [0]],
    [head.length + body.length, [0, 8000]], // nothing if it left before the first task was written
  ] as const) {
    const socket = connect(running.port, '127.0.0.1');
    socket.write(`${head}${body}`.slice(0, bytes));
    // Looked at in each turn of the event loop: the whole batch is there for a few of them only.
    while (running.engine.counters.inFlightBytes < bytes - head.length) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resetAndDestroy();
    await nothingInFlight(running);
    const length = await redis.client.xlen(running.stream);
    assert.ok(
      stored.some((one) => one === length),
      `${length}`,
    );
    assert.equal(running.engine.counters.accepted, 0);
  }
  assert.equal(running.engine.counters.aborted, 2);
});

test('a large batch goes to Redis in parts of at most 1,000 tasks', async (t) => {
  const { url, engine } = await runEngine(t, redis.server.url);
  assert.equal((await postBatch(`${url}/tasks/batch`, batchOf(10_000))).status, 202);
  assert.ok(engine.counters.batches >= 10, `${engine.counters.batches} writes`);
});
