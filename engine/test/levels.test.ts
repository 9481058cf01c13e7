import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { queueKeys, TRACKED_FIELD } from '@sluice/contract';
import { waitFor } from '@sluice/testbed';
import { exchange, post, type RunningEngine, runEngine } from './fixture.js';
import { playRedis } from './played-redis.js';
import { runReplicated } from './replicated-engine.js';

// What goes by a connection of its own, because its level of acknowledgement is confirmed: its status can be asked for,
// and it is taken back, like all others.

const BODY = '{"data":1}';
const DELAYED = '{"data":1,"delay":3600}';
const GARBAGE = 'GET / HTTP/1.0\r\n\r\n';
const REFUSED = /^HTTP\/1\.1 [45]\d\d /;
const REPLICATED = { Prefer: 'ack=replicated' };
/** Whatever the machine does meanwhile, a level is reached. */
const PATIENT = { ackTimeoutSeconds: 20 };

function bytesOf(path: string, body: string, headers: readonly string[]): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...headers];
  return `${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Has each request refused for what comes behind it. */
async function refuseAll({ port, engine }: RunningEngine, prefer: string): Promise<void> {
  const requests = [
    bytesOf('/tasks', BODY, [prefer]),
    bytesOf('/tasks', DELAYED, [prefer]),
    bytesOf('/tasks', BODY, [prefer, `Idempotency-Key: ${randomUUID()}`]),
    bytesOf('/tasks/batch', `[${BODY},${DELAYED},${BODY}]`, [prefer]),
  ];
  for (const bytes of requests) assert.match((await exchange(port, [bytes + GARBAGE])).text, REFUSED);
  await waitFor(() => engine.counters.inFlightRequests === 0 && engine.counters.inFlightBytes === 0, {
    timeoutMs: 20_000,
    what: 'nothing to be in flight',
  });
  assert.equal(engine.counters.aborted, requests.length);
}

test('a replicated task has a status, sent alone, delayed, with a key and in a batch', async (t) => {
  const { url, atMaster, atReplica, stream } = await runReplicated(t, { trackTasks: true, ...PATIENT });
  const ids: string[] = [];
  for (const [body, headers] of [
    [BODY, {}],
    [DELAYED, {}],
    [BODY, { 'Idempotency-Key': 'one' }],
  ] as const) {
    const reply = await post(`${url}/tasks`, body, 'application/json', { ...REPLICATED, ...headers });
    assert.deepEqual([reply.status, reply.body.ack], [202, 'replicated']);
    ids.push(reply.body.task_id ?? '');
  }
  const batch = await post(`${url}/tasks/batch`, `[${BODY},${DELAYED}]`, 'application/json', REPLICATED);
  ids.push(...((batch.body as { task_ids?: string[] }).task_ids ?? []));
  assert.equal(ids.length, 5);
  for (const id of ids) {
    const found = (await (await fetch(`${url}/tasks/${id}`)).json()) as { status?: string };
    assert.equal(found.status, 'queued', id);
  }
  // What is asked for is on the replica, too: its status survives a failover as the task does.
  assert.equal(await atReplica.xlen(stream), 3);
  assert.deepEqual((await atReplica.keys('*')).sort(), (await atMaster.keys('*')).sort());
  const again = await post(`${url}/tasks`, BODY, 'application/json', {
    ...REPLICATED,
    'Idempotency-Key': 'one',
  });
  assert.equal(again.body.task_id, ids[2]);
});

for (const trackTasks of [false, true]) {
  const how = trackTasks ? 'and leaves no status behind' : 'whatever kind of request it is';
  test(`what was to be replicated is not stored when it is refused for what came behind it, ${how}`, async (t) => {
    const running = await runReplicated(t, { trackTasks, ...PATIENT });
    const { url, stream, atMaster, engine } = running;
    await refuseAll(running, 'Prefer: ack=replicated');
    const last = await post(`${url}/tasks`, BODY, 'application/json', REPLICATED);
    assert.equal(last.status, 202);
    assert.equal(await atMaster.xlen(stream), 1);
    assert.equal(engine.counters.appended, 1);
    const status = queueKeys(stream).tracked(stream, last.body.task_id ?? '');
    const expected = [stream, 'written', ...(trackTasks ? [status] : [])];
    assert.deepEqual((await atMaster.keys('*')).sort(), expected.sort());
  });
}

test('a tracked task that is to be on the disk is stored with its status, and confirmed behind that', async (t) => {
  const played = await playRedis();
  t.after(() => played.close());
  played.waitaof = '*2\r\n:1\r\n:0\r\n';
  const { url, stream } = await runEngine(t, `redis://127.0.0.1:${played.port}`, {
    trackTasks: true,
    ...PATIENT,
  });
  const { body } = await post(`${url}/tasks`, BODY, 'application/json', { Prefer: 'ack=fsynced' });
  assert.equal(body.ack, 'fsynced');
  const [stored, confirmed] = played.commands;
  assert.equal(stored?.[0], 'EVAL');
  assert.equal(stored?.[4], queueKeys(stream).tracked(stream, body.task_id ?? ''));
  assert.ok(stored?.includes(TRACKED_FIELD));
  assert.deepEqual([confirmed?.[0], played.commands.length], ['WAITAOF', 2]);
});

test('while a batch is being confirmed, what is refused behind it is taken back, and the others go on', async (t) => {
  const played = await playRedis();
  t.after(() => played.close());
  const running = await runEngine(t, `redis://127.0.0.1:${played.port}`, PATIENT);
  const { url, engine } = running;
  const fsynced = { Prefer: 'ack=fsynced' };
  const first = post(`${url}/tasks`, BODY, 'application/json', fsynced); // its WAITAOF is not answered yet
  await waitFor(() => played.commands.length === 2, { timeoutMs: 20_000, what: 'both commands' });
  const second = post(`${url}/tasks`, '{"data":"second"}', 'application/json', fsynced);
  await waitFor(() => engine.counters.inFlightRequests === 2, { timeoutMs: 20_000, what: 'the second' });
  const refused = exchange(running.port, [
    bytesOf('/tasks', '{"data":"refused"}', ['Prefer: ack=fsynced']) + GARBAGE,
  ]);
  assert.match((await refused).text, REFUSED);
  await waitFor(() => engine.counters.aborted === 1, { timeoutMs: 20_000, what: 'the refusal' });
  assert.equal(engine.counters.inFlightRequests, 2);
  played.waitaof = '*2\r\n:1\r\n:0\r\n';
  played.answer(played.waitaof); // the others are answered so by themselves
  assert.deepEqual([(await first).status, (await second).status], [202, 202]);
  const payloads = played.commands.map((words) => words[words.indexOf('payload') + 1]);
  assert.deepEqual(
    payloads.filter((one) => one?.startsWith('{')),
    [BODY, '{"data":"second"}'],
  );
});

test('control: an engine that takes nothing back stores what was refused, at this level too', async (t) => {
  const broken = { [Symbol.for('sluice.break')]: 'nothing-taken-back' };
  const running = await runReplicated(t, { ...broken, ...PATIENT });
  const { port, engine, stream, atMaster } = running;
  const { text } = await exchange(port, [bytesOf('/tasks', BODY, ['Prefer: ack=replicated']) + GARBAGE]);
  assert.match(text, REFUSED);
  await waitFor(() => engine.counters.inFlightRequests === 0, { timeoutMs: 20_000, what: 'it to be stored' });
  assert.equal(await atMaster.xlen(stream), 1);
});
