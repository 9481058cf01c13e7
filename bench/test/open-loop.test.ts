import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { freePort } from '@sluice/testbed';
import { runAtConstantRate } from '#bench/load/constant-rate.js';
import type { OpenLoopOptions } from '#bench/load/open-loop.js';
import { ResponseScanner } from '#bench/load/response-scanner.js';

const REQUEST_BODY = '{"data":1}';

/** A server for the generator; `answer` decides what to do with each request. */
async function serve(t: TestContext, answer: (socket: Socket, request: number) => void): Promise<number> {
  let requests = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    // A request is framed as a response is; what the scanner takes for a status is not looked at.
    const scanner = new ResponseScanner(() => answer(socket, requests++));
    socket.on('data', (bytes) => scanner.push(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

function respond(socket: Socket, status = '202 Accepted'): void {
  socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\n{}`);
}

function load(port: number, changes: Partial<OpenLoopOptions> = {}): OpenLoopOptions {
  return {
    ...{ port, path: '/tasks', body: REQUEST_BODY, connections: 4, ratePerSecond: 500 },
    ...{ warmUpSeconds: 0, seconds: 1, patienceSeconds: 5, between: 'looks' },
    ...changes,
  };
}

for (const between of ['looks', 'naps', 'sleeps'] as const) {
  const how = { looks: 'looking all the time', naps: 'napping between looks', sleeps: 'asleep between' }[
    between
  ];
  test(`${how}, sends as many requests as the rate asks for and counts every answer`, async (t) => {
    const port = await serve(t, (socket) => respond(socket));
    const result = await runAtConstantRate(load(port, { warmUpSeconds: 0.5, between }));
    assert.deepEqual(result.statuses, { 202: 750 });
    assert.deepEqual([result.unanswered, result.brokenConnections], [0, 0]);
    assert.deepEqual([result.latencies.length, result.lags.length], [500, 500]);
  });
}

test('charges a stall to everyone who came meanwhile, not only to those who were under way', async (t) => {
  const stallMs = 400;
  let stalled: Socket[] | undefined;
  const port = await serve(t, (socket, request) => {
    if (request === 100) {
      const waiting: Socket[] = [];
      stalled = waiting;
      setTimeout(() => {
        stalled = undefined;
        for (const one of waiting) respond(one);
      }, stallMs);
    }
    if (stalled === undefined) respond(socket);
    else stalled.push(socket);
  });
  const { latencies, statuses } = await runAtConstantRate(load(port));
  assert.deepEqual(statuses, { 202: 500 });
  // 500/s for 0.4 s: 200 came during the stall, and half of them had to wait for more than half of it. Only 4 were
  // under way: a generator that waits for answers before it sends would report no more than those.
  const slow = latencies.filter((latency) => latency > (stallMs / 2) * 1000);
  assert.ok(slow.length >= 95, `${slow.length} requests waited for more than half of the stall`);
});

test('tells answers that are not 202, and requests that were never answered', async (t) => {
  const port = await serve(t, (socket, request) => {
    if (request === 10) respond(socket, '503 Service Unavailable');
    else if (request !== 20) respond(socket);
  });
  const result = await runAtConstantRate(load(port, { patienceSeconds: 3, between: 'naps' }));
  assert.deepEqual(result.statuses, { 202: 498, 503: 1 });
  assert.equal(result.unanswered, 1);
  assert.equal(result.latencies.length, 499);
});

test('tells broken connections and goes on over those that are left', async (t) => {
  const port = await serve(t, (socket, request) => {
    if (request === 10) socket.destroy();
    else respond(socket);
  });
  const result = await runAtConstantRate(load(port, { patienceSeconds: 3, between: 'naps' }));
  assert.equal(result.brokenConnections, 1);
  assert.deepEqual(result.statuses, { 202: 499 });
  assert.equal(result.unanswered, 1);
});

test('ends when the server is gone altogether', async (t) => {
  const port = await serve(t, (socket) => socket.destroy());
  const result = await runAtConstantRate(load(port));
  assert.equal(result.brokenConnections, 4);
  assert.deepEqual(result.statuses, {});
});

test('a server that is not there ends the load with its reason', async () => {
  await assert.rejects(runAtConstantRate(load(await freePort())), /ECONNREFUSED/);
});
