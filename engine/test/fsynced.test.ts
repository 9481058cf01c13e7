import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { post, type Reply, type RunningEngine, runEngine } from './fixture.js';
import { type PlayedRedis, playRedis } from './played-redis.js';

// The Redis of these tests is 7.0, which has no WAITAOF: a server plays the replies that are documented for 7.2. This
// shows what the engine makes of them, and nothing about what Redis does.

async function runPlayed(
  t: TestContext,
  ackTimeoutSeconds = 3,
): Promise<RunningEngine & { played: PlayedRedis }> {
  const played = await playRedis();
  const engine = await runEngine(t, `redis://127.0.0.1:${played.port}`, { ackTimeoutSeconds });
  t.after(() => played.close());
  return { ...engine, played };
}

function postFsynced(url: string): Promise<Reply> {
  return post(`${url}/tasks`, '{"data":1}', 'application/json', { Prefer: 'ack=fsynced' });
}

test('a task is answered once WAITAOF, sent behind it, says that the disk has it, and not before', async (t) => {
  const { url, played, engine } = await runPlayed(t);
  played.waitaof = '*2\r\n:1\r\n';
  const answered: Reply[] = [];
  const waiting = postFsynced(url).then((reply) => answered.push(reply));
  await waitFor(() => played.commands.length === 2, { timeoutMs: 20_000, what: 'both commands' });
  assert.equal(played.commands[0]?.[0], 'XADD');
  assert.deepEqual(played.commands[1], ['WAITAOF', '1', '0', '3000']);
  assert.equal((await post(`${url}/tasks`, '{"data":2}')).body.ack, 'appended');
  assert.equal(answered.length, 0);
  assert.equal(engine.counters.inFlightRequests, 1);
  await played.close(); // the rest of the reply never comes
  await waiting;
  assert.equal(answered[0]?.body.error?.code, 'ACK_LEVEL_NOT_REACHED');
});

for (const [what, reply] of [
  ['says that the disk has it', '*2\r\n:1\r\n:0\r\n'],
  ['says that the disk and a replica have it', '*2\r\n:1\r\n:1\r\n'],
] as const) {
  test(`WAITAOF ${what}: 202 with ack=fsynced`, async (t) => {
    const { url, played } = await runPlayed(t);
    played.waitaof = reply;
    const { status, body, headers } = await postFsynced(url);
    assert.equal(status, 202);
    assert.equal(body.ack, 'fsynced');
    assert.equal(headers.get('preference-applied'), 'ack=fsynced');
  });
}

for (const [what, reply] of [
  ['says that the disk does not have it', '*2\r\n:0\r\n:0\r\n'],
  ['says that a replica has it, and the disk does not', '*2\r\n:0\r\n:1\r\n'],
  ['fails', '-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n'],
  ['is answered with something else', '+OK\r\n'],
] as const) {
  test(`WAITAOF ${what}: 503, stored but not reached`, async (t) => {
    const { url, played } = await runPlayed(t);
    played.waitaof = reply;
    const { status, body } = await postFsynced(url);
    assert.equal(status, 503);
    assert.equal(body.error?.code, 'ACK_LEVEL_NOT_REACHED');
  });
}

test('WAITAOF is never answered: 503 all the same', async (t) => {
  const { url, played } = await runPlayed(t, 0.2);
  assert.equal((await postFsynced(url)).body.error?.code, 'ACK_LEVEL_NOT_REACHED');
  assert.equal(played.commands.length, 2);
});

test('a Redis that keeps no append-only file: refused, and nothing sent', async (t) => {
  const { url, played } = await runPlayed(t);
  played.hasFile = false;
  const { body } = await postFsynced(url);
  assert.equal(body.error?.code, 'ACK_LEVEL_UNAVAILABLE');
  assert.deepEqual(played.commands, []);
});
