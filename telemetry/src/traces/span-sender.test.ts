import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SpanSender } from './span-sender.js';

/** More than the buffers of a connection hold. */
const LARGE = 32 * 1024 * 1024;

async function listening(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`; // it listens on TCP
}

interface Outcome {
  exported: number;
  over: Buffer[];
  idle: Promise<void>;
}

function sent(url: string, body: Buffer): Outcome {
  const outcome: Outcome = { exported: 0, over: [], idle: Promise.resolve() };
  const sender = new SpanSender({
    url,
    headers: {},
    contentType: 'application/x-protobuf',
    timeoutMs: 60_000,
    answersInOtlp: true,
    onOver: (message) => outcome.over.push(message),
    onExported: (spans) => {
      outcome.exported += spans;
    },
    onDropped: () => assert.fail('spans were dropped'),
  });
  sender.send(body, 7);
  outcome.idle = sender.idle();
  return outcome;
}

async function lengthOf(request: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const part of request) length += (part as Buffer).length;
  return length;
}

test('the memory of a message may be used again once it was delivered, after a second attempt too', async (t) => {
  let attempts = 0;
  const server = createServer(async (request, response) => {
    await lengthOf(request);
    attempts++;
    response.writeHead(attempts === 1 ? 503 : 200).end();
  });
  const body = Buffer.alloc(1000, 1);
  const outcome = sent(await listening(t, server), body);
  await outcome.idle;
  assert.equal(attempts, 2);
  assert.equal(outcome.exported, 7);
  assert.deepEqual(outcome.over, [body]);
});

test('the memory of a message is let alone while an attempt that was answered early still reads from it', async (t) => {
  let attempts = 0;
  const lengths: number[] = [];
  const server = createServer(async (request, response) => {
    attempts++;
    const isFirst = attempts === 1;
    if (isFirst) response.writeHead(503).end();
    else response.writeHead(200);
    lengths.push(await lengthOf(request));
    if (!isFirst) response.end();
  });
  const outcome = sent(await listening(t, server), Buffer.alloc(LARGE, 1));
  await outcome.idle;
  assert.equal(outcome.exported, 7);
  assert.ok(attempts >= 2);
  assert.equal(lengths.at(-1), LARGE);
  assert.equal(outcome.over.length, 0);
});
