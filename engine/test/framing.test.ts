import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startTcpProxy, waitFor } from '@sluice/testbed';
import { exchange, redisForFile, runEngine } from './fixture.js';

// Where requests and answers begin and end on a connection, and that each request ends once, however it ends.

const redis = redisForFile();
const BODY = '{"data":1}';

function request(line: string, headers: readonly string[], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...headers, '', body].join('\r\n');
}

const TASK = request('POST /tasks', [`Content-Length: ${BODY.length}`], BODY);
const LIVE = request('GET /livez', []);

for (const line of ['POST /tasks', 'POST /tasks/unknown', 'PUT /tasks', 'GET /health', 'POST /nothing']) {
  test(`${line} with two lengths: the task one of them hides is not taken`, async (t) => {
    const { port, stream } = await runEngine(t, redis.server.url);
    const head = request(line, ['Content-Length: 5', `Content-Length: ${5 + TASK.length}`]);
    // In one packet, the connection is closed without a word; in two, the first is answered.
    const { text, closed } = await exchange(port, [`${head}12345${TASK}`]);
    assert.equal(text, '');
    assert.equal(closed, true);
    assert.match((await exchange(port, [`${head}12345`])).text, /^HTTP\/1\.1 400 .*"BAD_REQUEST"/s);
    assert.equal(await redis.client.exists(stream), 0);
  });
}

for (const line of ['POST /nothing', 'POST /tasks/unknown', 'PUT /tasks']) {
  test(`${line}: a body that arrives after the refusal is not taken for a request`, async (t) => {
    const { port, stream } = await runEngine(t, redis.server.url);
    const head = request(line, [`Content-Length: ${TASK.length}`]);
    const { text } = await exchange(port, [head, TASK, LIVE], /alive/);
    assert.match(text, /^HTTP\/1\.1 40[45] /);
    assert.doesNotMatch(text, /task_id/);
    assert.equal(await redis.client.exists(stream), 0);
  });
}

for (const [path, status] of [
  ['/health', 200],
  ['/livez', 200],
  ['/readyz?verbose', 200],
  ['/tasks', 405],
  ['/tasks/mail', 405],
  ['/nothing', 404],
] as const) {
  test(`HEAD ${path} is answered ${status} without a body, and the next answer follows`, async (t) => {
    const { port } = await runEngine(t, redis.server.url);
    const { text } = await exchange(port, [request(`HEAD ${path}`, []), LIVE], /alive/);
    const [first, second] = text.split('\r\n\r\n');
    assert.match(first ?? '', new RegExp(`^HTTP/1\\.1 ${status} .*Content-Length: [1-9]`, 's'));
    assert.match(second ?? '', /^HTTP\/1\.1 200 /);
  });
}

test('a client that goes away at any moment leaves nothing in flight, and each request ends once', async (t) => {
  const proxy = await startTcpProxy(redis.server.port);
  t.after(() => proxy.close());
  const { engine, port } = await runEngine(t, `redis://127.0.0.1:${proxy.port}`, {
    allowChunked: true,
    appendTimeoutSeconds: 0.2,
    maxPayloadSize: 50_000,
    maxInFlightBytes: 200_000,
  });
  const bodies = [10, 1000, 40_000, 60_000].map((size) => `{"data":"${'x'.repeat(size)}"}`);
  const requests = bodies.flatMap((body) => [
    request('POST /tasks', [`Content-Length: ${body.length}`], body),
    request(
      'POST /tasks',
      ['Transfer-Encoding: chunked'],
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ),
  ]);
  let n = 0;
  for (const redisDoes of ['answers', 'is silent', 'breaks off']) {
    proxy.dropReplies(redisDoes === 'is silent');
    const clients = requests.flatMap((bytes) =>
      [0, 0.5, 0.99, 1, 1].map(async (share) => {
        await hangUp(port, bytes.slice(0, Math.ceil(bytes.length * share)), n++);
        if (redisDoes === 'breaks off') proxy.cut();
      }),
    );
    await Promise.all(clients);
  }
  const { counters } = engine;
  await waitFor(() => engine.counters.inFlightRequests === 0 && engine.counters.inFlightBytes === 0, {
    timeoutMs: 20_000,
    what: 'nothing to be in flight',
  });
  const refused = Object.values(counters.refused).reduce((sum, count) => sum + count, 0);
  assert.ok(counters.requests >= 3 * requests.length);
  assert.equal(counters.accepted + refused + counters.aborted, counters.requests);
});

/** Sends bytes and leaves: in one of three ways, at once or after the first byte of an answer. */
function hangUp(port: number, bytes: string, n: number): Promise<void> {
  return new Promise((left) => {
    const socket = connect(port, '127.0.0.1');
    const leave = (): void => {
      if (n % 3 === 0) socket.destroy();
      else if (n % 3 === 1) socket.resetAndDestroy();
      else socket.end();
    };
    socket.on('error', () => {}); // the other side may be first
    socket.on('close', () => left());
    socket.setTimeout(500, () => socket.destroy());
    socket.once('data', leave);
    socket.on('connect', () => socket.write(bytes, n % 2 === 0 ? leave : undefined));
  });
}
