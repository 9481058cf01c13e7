import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startLoad, waitFor } from '@sluice/testbed';
import { post, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';

test('sheds with 503 and Retry-After at the bound on the backlog, trims nothing, and takes tasks again when it shrinks', async (t) => {
  const { url, stream, events } = await runEngine(t, redis.server.url, { streamMaxlen: 50 });
  const load = startLoad({ url, limit: 200, pauseMs: 0 });
  await load.until(() => true, 200);
  const answers = await load.stop();
  const stored = answers.filter((answer) => answer.status === 202).length;
  assert.equal(stored, 50);
  assert.equal(await redis.client.xlen(stream), 50);
  const shed = answers.filter((answer) => answer.status !== 202);
  assert.ok(shed.every((answer) => answer.code === 'OVERLOADED' && answer.retryAfter === '1'));
  assert.deepEqual(
    events.filter((event) => event.type === 'shedding-started'),
    [{ type: 'shedding-started', reason: 'backlog' }],
  );

  const [[first] = ['']] = await redis.client.xrange(stream, '-', '+', 'COUNT', 1);
  await redis.client.xdel(stream, first);
  await waitFor(async () => (await post(`${url}/tasks`, BODY)).status === 202, {
    timeoutMs: 20_000,
    what: 'a 202',
  });
});

test('with drop-oldest, the oldest tasks make room instead', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, {
    streamMaxlen: 100,
    streamOverflow: 'drop-oldest',
  });
  const load = startLoad({ url, limit: 1000, pauseMs: 0 });
  await load.until(() => true, 1000);
  const answers = await load.stop();
  assert.ok(answers.every((answer) => answer.status === 202));
  // Redis trims whole nodes of the stream, of up to 100 entries.
  assert.ok((await redis.client.xlen(stream)) <= 200);
});

test('sheds at the bound on requests in flight, and counts a client that left as gone', async (t) => {
  const { url, port, engine } = await runEngine(t, redis.server.url, { maxInFlightRequests: 2 });
  const head = `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;
  const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  for (const socket of sockets) socket.write(head);
  await waitFor(() => engine.counters.inFlightRequests === 2, {
    timeoutMs: 20_000,
    what: 'both requests to be in flight',
  });
  const shed = await post(`${url}/tasks`, BODY);
  assert.equal(shed.status, 503);
  assert.equal(shed.body.error?.code, 'OVERLOADED');
  for (const socket of sockets) socket.destroy();
  await waitFor(() => engine.counters.inFlightRequests === 0, {
    timeoutMs: 20_000,
    what: 'both requests to be gone',
  });
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
  assert.equal(engine.counters.aborted, 2);
});

test('sheds at the bound on bytes in flight', async (t) => {
  const { url, port, engine } = await runEngine(t, redis.server.url, {
    maxInFlightBytes: 2000,
    maxPayloadSize: 1500,
  });
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(
    `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1500\r\n\r\n${' '.repeat(1400)}`,
  );
  await waitFor(() => engine.counters.inFlightBytes === 1400, {
    timeoutMs: 20_000,
    what: 'the bytes to be in flight',
  });
  assert.equal((await post(`${url}/tasks`, `{"data":"${'x'.repeat(700)}"}`)).body.error?.code, 'OVERLOADED');
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
  socket.destroy(); // the engine waits for the rest of the body when it shuts down
});

test('with Redis paused, holds no more bytes than it may and sheds the rest', async (t) => {
  const { url, engine } = await runEngine(t, redis.server.url, {
    maxInFlightBytes: 5000,
    maxPayloadSize: 1000,
    appendTimeoutSeconds: 5,
  });
  redis.server.pause();
  t.after(() => redis.server.resume());
  const body = `{"data":"${'x'.repeat(900)}"}`;
  const replies = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const reply = post(`${url}/tasks`, body);
      assert.ok(engine.counters.inFlightBytes <= 5000);
      return (await reply).body.error?.code;
    }),
  );
  assert.equal(replies.filter((code) => code === 'APPEND_UNCONFIRMED').length, 5);
  assert.equal(replies.filter((code) => code === 'OVERLOADED').length, 15);
});
