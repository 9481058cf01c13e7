import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { EngineOptions } from '@sluice/engine';
import { waitFor } from '@sluice/testbed';
import type { Redis } from 'ioredis';
import { entriesOf, post, type Reply, redisForFile, runEngine } from './fixture.js';
import { follow, type ReplicatedEngine, runReplicated } from './replicated-engine.js';

const redis = redisForFile();
const BODY = '{"data":1}';

function postAt(
  url: string,
  prefer: string,
  body = BODY,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return post(url, body, 'application/json', { Prefer: prefer, ...headers });
}

function assertRefused(reply: Reply, code: string): void {
  assert.equal(reply.body.error?.code, code);
  assert.equal(reply.status, 503);
  assert.equal(reply.headers.get('retry-after'), null);
  assert.equal(reply.headers.get('preference-applied'), null);
}

function assertReached(reply: Reply, level: string): void {
  assert.equal(reply.status, 202, JSON.stringify(reply.body));
  assert.equal(reply.body.ack, level);
  assert.equal(reply.headers.get('preference-applied'), `ack=${level}`);
}

/** Two Redis servers have to run within it, also on a busy machine; where one stands still, tests wait for so long. */
const REACHED_WITHIN_SECONDS = 2;

/** Its replica, where it is away, is waited for no longer than that. */
function runPair(t: TestContext, options: EngineOptions = {}): Promise<ReplicatedEngine> {
  return runReplicated(t, { ackTimeoutSeconds: REACHED_WITHIN_SECONDS, ...options });
}

async function idsAt(client: Redis, stream: string): Promise<(string | undefined)[]> {
  return (await entriesOf(client, stream)).map((entry) => entry.task_id);
}

function codeOf(reply: Reply): string | undefined {
  return reply.body.error?.code;
}

// Most of the time each waits for a replica that stands still, its own.
describe('levels of acknowledgement', { concurrency: 4 }, () => {
  test('each level says which it reached, and the preference it honoured', async (t) => {
    const { url, stream, atReplica } = await runPair(t);
    for (const level of ['received', 'appended', 'replicated'])
      assertReached(await postAt(`${url}/tasks`, `ack=${level}`), level);
    const reply = await postAt(`${url}/tasks`, 'wait=10, Ack="Replicated"; x=y, ack=received');
    assertReached(reply, 'replicated');
    assert.equal((await idsAt(atReplica, stream)).at(-1), reply.body.task_id, 'the replica has it by then');
    const plain = await post(`${url}/tasks`, BODY);
    assert.equal(plain.body.ack, 'appended');
    assert.equal(plain.headers.get('preference-applied'), null);
    assert.equal((await postAt(`${url}/tasks`, 'wait=10')).headers.get('preference-applied'), null);
  });

  test('every 202 of ack=replicated is on the replica by then, with many at once and delayed ones among them', async (t) => {
    const { url, stream, atReplica, engine } = await runPair(t);
    const replies = await Promise.all(
      Array.from({ length: 300 }, () => postAt(`${url}/tasks`, 'ack=replicated')),
    );
    for (const reply of replies) assertReached(reply, 'replicated');
    const ids = new Set(await idsAt(atReplica, stream));
    for (const { body } of replies) assert.ok(ids.has(body.task_id ?? ''));
    assert.ok(engine.counters.batches < 200, 'one confirmation for many');
    const delayed = await postAt(`${url}/tasks`, 'ack=replicated', '{"data":1,"delay":60}');
    assertReached(delayed, 'replicated');
    assert.notEqual(delayed.body.run_at, undefined);
    assert.equal(await atReplica.zcard(`${stream}:scheduled:due`), 1);
  });

  test('an unknown level, or a malformed Prefer: 400 that names those allowed, and nothing appended', async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url);
    for (const prefer of ['ack=sure', 'ack', 'ack=""', 'ack=appended x', 'ack="appended']) {
      const { status, body } = await postAt(`${url}/tasks`, prefer);
      assert.equal(status, 400);
      assert.equal(body.error?.code, 'INVALID_PREFERENCE');
      assert.match(body.error?.message ?? '', /ack=received, ack=appended, ack=replicated, ack=fsynced$/);
    }
    assert.equal(await redis.client.exists(stream), 0);
  });

  test('no replica, or a Redis that cannot tell what is on its disk: refused, nothing appended, other levels go on', async (t) => {
    const { url, stream, engine, events } = await runEngine(t, redis.server.url);
    for (let round = 0; round < 3; round++) {
      assertRefused(await postAt(`${url}/tasks`, 'ack=replicated'), 'ACK_LEVEL_UNAVAILABLE');
      // Redis 7.0 has no WAITAOF, and this one has no file; a later one still has no file.
      assertRefused(await postAt(`${url}/tasks`, 'ack=fsynced'), 'ACK_LEVEL_UNAVAILABLE');
      const batch = await postAt(`${url}/tasks/batch`, 'ack=replicated', `[${BODY}]`);
      assertRefused(batch, 'ACK_LEVEL_UNAVAILABLE');
    }
    assert.equal(await redis.client.exists(stream), 0);
    assertReached(await postAt(`${url}/tasks`, 'ack=appended'), 'appended');
    assert.equal(engine.counters.appended, 1);
    assert.ok(
      events.some((event) => event.type === 'append-refused' && event.code === 'ACK_LEVEL_UNAVAILABLE'),
    );
  });

  test('more replicas asked for than there are: refused, and nothing appended', async (t) => {
    const { url, stream, atMaster } = await runPair(t, { replicatedAcks: 2 });
    assertRefused(await postAt(`${url}/tasks`, 'ack=replicated'), 'ACK_LEVEL_UNAVAILABLE');
    assert.equal(await atMaster.exists(stream), 0);
  });

  test('a replica that stands still: said to be stored but no more, then refused, and served again when it goes on', async (t) => {
    const { url, stream, atMaster, replica, engine } = await runPair(t);
    assertReached(await postAt(`${url}/tasks`, 'ack=replicated'), 'replicated');
    replica.pause();
    t.after(() => replica.resume());
    const first = await postAt(`${url}/tasks`, 'ack=replicated');
    assertRefused(first, 'ACK_LEVEL_NOT_REACHED');
    assert.equal(await atMaster.xlen(stream), 2);
    assert.equal(engine.counters.appended, 2);
    assertReached(await postAt(`${url}/tasks`, 'ack=appended'), 'appended');
    await waitFor(
      async () => codeOf(await postAt(`${url}/tasks`, 'ack=replicated')) === 'ACK_LEVEL_UNAVAILABLE',
      {
        timeoutMs: 60_000,
        what: 'the silence of the replica to be noticed',
      },
    );
    const stored = await atMaster.xlen(stream);
    assertRefused(await postAt(`${url}/tasks`, 'ack=replicated'), 'ACK_LEVEL_UNAVAILABLE');
    assert.equal(await atMaster.xlen(stream), stored);
    replica.resume();
    await waitFor(async () => (await postAt(`${url}/tasks`, 'ack=replicated')).status === 202, {
      timeoutMs: 60_000,
      what: 'a 202',
    });
  });

  test('a replica that dies and comes back: each 202 of ack=replicated was on it', async (t) => {
    const pair = await runPair(t);
    const { url, stream, replica, atReplica } = pair;
    const answers: Reply[] = [];
    let stopped = false;
    const send = async (): Promise<void> => {
      while (!stopped) answers.push(await postAt(`${url}/tasks`, 'ack=replicated'));
    };
    const senders = Array.from({ length: 8 }, send);
    const reached = (): number => answers.filter(({ status }) => status === 202).length;
    await waitFor(() => reached() > 100, { timeoutMs: 60_000, what: 'tasks to be replicated' });
    // Its answers while it stands still, and what it has when it is dead, are of the same moment.
    replica.pause();
    await waitFor(() => answers.some(({ status }) => status === 503), { timeoutMs: 60_000, what: 'a 503' });
    replica.resume();
    await atReplica.replicaof('NO', 'ONE');
    await waitFor(() => answers.some((reply) => codeOf(reply) === 'ACK_LEVEL_UNAVAILABLE'), {
      timeoutMs: 60_000,
      what: 'its loss to be noticed',
    });
    const before = new Set(await idsAt(atReplica, stream));
    const told = answers.filter(({ status }) => status === 202).map(({ body }) => body.task_id ?? '');
    for (const id of told) assert.ok(before.has(id), 'answered 202 and not on the replica');
    await follow(pair);
    const soFar = reached();
    await waitFor(() => reached() > soFar + 50, { timeoutMs: 60_000, what: 'tasks to be replicated again' });
    stopped = true;
    await Promise.all(senders);
    for (const reply of answers.filter(({ status }) => status === 202)) assertReached(reply, 'replicated');
    for (const reply of answers.filter(({ status }) => status !== 202))
      assert.match(codeOf(reply) ?? '', /^ACK_LEVEL_(UNAVAILABLE|NOT_REACHED)$/);
  });

  test('a replica that is killed: never a 202 with ack=replicated from then on', async (t) => {
    const { url, replica, atMaster, stream } = await runPair(t);
    assertReached(await postAt(`${url}/tasks`, 'ack=replicated'), 'replicated');
    await replica.kill();
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => postAt(`${url}/tasks`, 'ack=replicated')),
    );
    for (const reply of replies) assert.match(codeOf(reply) ?? '', /^ACK_LEVEL_(UNAVAILABLE|NOT_REACHED)$/);
    const stored = replies.filter((reply) => codeOf(reply) === 'ACK_LEVEL_NOT_REACHED').length;
    assert.equal(await atMaster.xlen(stream), 1 + stored, 'stored is what was said to be stored');
  });

  test('a level taken for reached whoever confirmed it is caught by looking at the replica', async (t) => {
    const broken = { [Symbol.for('sluice.break')]: 'confirmed-by-none' };
    const { url, replica, stream, atReplica } = await runPair(t, broken);
    replica.pause();
    const { body } = await postAt(`${url}/tasks`, 'ack=replicated');
    await replica.kill();
    await replica.restart();
    assert.equal(body.ack, 'replicated');
    assert.ok(!(await idsAt(atReplica, stream)).includes(body.task_id));
  });

  test('with a key: a task stored without its level reaches it when it is sent again, and not before', async (t) => {
    const { url, stream, atMaster, replica } = await runPair(t);
    const again = (level: string): Promise<Reply> =>
      postAt(`${url}/tasks`, `ack=${level}`, BODY, { 'Idempotency-Key': 'k' });
    // Opens the connection of the level, and has it write something that is confirmed.
    assertReached(await postAt(`${url}/tasks`, 'ack=replicated'), 'replicated');
    replica.pause();
    t.after(() => replica.resume());
    const first = await again('appended');
    assertReached(first, 'appended');
    assertRefused(await again('replicated'), 'ACK_LEVEL_NOT_REACHED');
    replica.resume();
    const replies: Reply[] = [];
    await waitFor(async () => replies.push(await again('replicated')) > 0 && replies.at(-1)?.status === 202, {
      timeoutMs: 60_000,
      what: 'a 202',
    });
    const reply = replies.at(-1) as Reply; // the one above
    assertReached(reply, 'replicated');
    assert.equal(reply.body.task_id, first.body.task_id);
    assert.equal(reply.headers.get('idempotency-replayed'), 'true');
    assert.equal(await atMaster.xlen(stream), 2);
  });

  test('with a key, ack=received is not honoured: the answer waits for Redis, and says so', async (t) => {
    const { url } = await runEngine(t, redis.server.url);
    const reply = await postAt(`${url}/tasks`, 'ack=received', BODY, { 'Idempotency-Key': randomUUID() });
    assert.equal(reply.status, 202);
    assert.equal(reply.body.ack, 'appended');
    assert.equal(reply.headers.get('preference-applied'), null);
  });

  test('batches reach levels like single tasks', async (t) => {
    const { url, stream, atReplica, replica } = await runPair(t);
    const batch = `[${BODY},{"data":2,"delay":60},{"data":3,"delay":-1}]`;
    const reply = await postAt(`${url}/tasks/batch`, 'ack=replicated', batch);
    assert.equal(reply.status, 207, JSON.stringify(reply.body));
    assert.equal(reply.body.ack, 'replicated');
    assert.equal(reply.headers.get('preference-applied'), 'ack=replicated');
    assert.equal((await idsAt(atReplica, stream)).length, 1);
    replica.pause();
    t.after(() => replica.resume());
    const short = await postAt(`${url}/tasks/batch`, 'ack=replicated', `[${BODY}]`);
    assertRefused(short, 'ACK_LEVEL_NOT_REACHED');
  });

  test('ACK_MODE=replicated: every task, and those that ask for less get less', async (t) => {
    const { url, replica } = await runPair(t, { ackMode: 'replicated' });
    const plain = await post(`${url}/tasks`, BODY);
    assert.equal(plain.body.ack, 'replicated');
    assert.equal(plain.headers.get('preference-applied'), null);
    replica.pause();
    t.after(() => replica.resume());
    assertRefused(await post(`${url}/tasks`, BODY), 'ACK_LEVEL_NOT_REACHED');
    assertReached(await postAt(`${url}/tasks`, 'ack=appended'), 'appended');
  });

  test('ACK_MODE=received: those that ask for more get more', async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url, { ackMode: 'received' });
    const reply = await postAt(`${url}/tasks`, 'ack=appended');
    assertReached(reply, 'appended');
    assert.deepEqual(await idsAt(redis.client, stream), [reply.body.task_id]);
  });

  test('a Redis that dies while a level is waited for: answered in time, and nothing is claimed', async (t) => {
    const { url, replica, master } = await runPair(t, { ackTimeoutSeconds: 20 });
    replica.pause();
    t.after(() => replica.resume());
    const waiting = postAt(`${url}/tasks`, 'ack=replicated');
    await new Promise((resolve) => setTimeout(resolve, 300)); // it is sent, or about to be: either is right
    await master.kill();
    assert.match(codeOf(await waiting) ?? '', /^(ACK_LEVEL_NOT_REACHED|APPEND_UNCONFIRMED)$/);
  });

  test('a shutdown waits for levels that are waited for', async (t) => {
    const { url, replica, engine } = await runPair(t, { ackTimeoutSeconds: 2 });
    replica.pause();
    const waiting = postAt(`${url}/tasks`, 'ack=replicated');
    await waitFor(() => engine.counters.inFlightRequests > 0, { timeoutMs: 60_000, what: 'the request' });
    assert.equal(await engine.stop(), 0);
    assert.match(codeOf(await waiting) ?? '', /^ACK_LEVEL_NOT_REACHED$/);
    replica.resume();
  });
});
