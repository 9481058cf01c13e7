import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { EngineOptions } from '@sluice/engine';
import { waitFor } from '@sluice/testbed';
import { exchange, post, redisForFile, runEngine } from './fixture.js';

// Garbage behind a whole request in the same packet: uWebSockets.js refuses it by itself before our 202 goes out, so
// nothing of the request may be stored.

const redis = redisForFile();
const GARBAGE = [
  '\0\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  ' \r\n\r\n',
  'x'.repeat(5000),
  'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n',
];
const REFUSED = /^HTTP\/1\.1 [45]\d\d /;

function request(body: string, path = '/tasks', headers: readonly string[] = []): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...headers];
  return `${lines.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function refusalsOf(t: TestContext, bytes: string, options: EngineOptions = {}) {
  const running = await runEngine(t, redis.server.url, { idempotencyTtlSeconds: 60, ...options });
  const { port, engine } = running;
  const texts = await Promise.all(
    GARBAGE.map(async (garbage) => (await exchange(port, [bytes + garbage])).text),
  );
  await waitFor(() => engine.counters.inFlightRequests === 0 && engine.counters.inFlightBytes === 0, {
    timeoutMs: 20_000,
    what: 'nothing to be in flight',
  });
  return { ...running, texts };
}

const large = `{"data":"${'x'.repeat(50_000)}"}`; // and still one packet
const REQUESTS: [what: string, bytes: string][] = [
  ['a task', request('{"data":1}')],
  ['a task with a large body', request(large)],
  ['a delayed task', request('{"data":1,"delay":60}')],
  ['a task with an Idempotency-Key', request('{"data":1}', '/tasks', [`Idempotency-Key: ${randomUUID()}`])],
  ['a batch', request('[{"data":1},{"data":2,"delay":60},{"data":3}]', '/tasks/batch')],
  ['a batch that takes many turns', request(`[${'{"data":1},'.repeat(9999)}{"data":2}]`, '/tasks/batch')],
];

for (const [what, bytes] of REQUESTS) {
  test(`${what} is not stored when its client gets a refusal for what came behind it`, async (t) => {
    const { url, stream, texts, engine } = await refusalsOf(t, bytes);
    for (const text of texts) assert.match(text, REFUSED);
    assert.equal((await post(`${url}/tasks`, '{"data":"last"}')).status, 202); // whatever was written came before
    assert.equal(await redis.client.xlen(stream), 1);
    assert.deepEqual(await redis.client.keys(`${stream}:?*`), []); // neither a schedule nor a key
    const { counters } = engine;
    assert.deepEqual([counters.appended, counters.aborted], [1, GARBAGE.length]);
  });
}

test('what others send in the same turn is stored, each once', async (t) => {
  const { port, stream, engine } = await runEngine(t, redis.server.url);
  const texts = await Promise.all(
    Array.from({ length: 300 }, async (_, n) => {
      const body = `{"data":${n}${n % 5 === 0 ? `,"metadata":{"text":"${'x'.repeat(50_000)}"}` : ''}}`;
      const behind = n % 3 === 0 ? (GARBAGE[n % GARBAGE.length] ?? '') : '';
      return { n, text: (await exchange(port, [request(body) + behind], /\r\n\r\n/)).text };
    }),
  );
  for (const { n, text } of texts) assert.match(text, n % 3 === 0 ? REFUSED : /^HTTP\/1\.1 202 /, `${n}`);
  const entries = await redis.client.xrange(stream, '-', '+');
  const stored = entries.map(([, fields]) => {
    const payload = JSON.parse(fields[fields.indexOf('payload') + 1] ?? '') as { data: number };
    return payload.data;
  });
  const accepted = texts.filter(({ n }) => n % 3 !== 0).map(({ n }) => n);
  assert.deepEqual(
    stored.sort((a, b) => a - b),
    accepted,
  );
  assert.equal(engine.counters.inFlightRequests, 0);
});

test('control: an engine that takes nothing back stores what was refused', async (t) => {
  const broken = { [Symbol.for('sluice.break')]: 'nothing-taken-back' };
  const { stream, texts } = await refusalsOf(t, request('{"data":1}'), broken);
  for (const text of texts) assert.match(text, REFUSED);
  assert.equal(await redis.client.xlen(stream), GARBAGE.length);
});
