import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOfApiKey, newApiKey } from '@sluice/contract';
import { createEngine } from '@sluice/engine';
import { exchange, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const APP = 'https://app.example.org';
const OTHER_APP = 'http://localhost:5173';
const STRANGER = 'https://evil.example';
const BODY = '{"data":1}';

const send = (url: string, origin?: string, init: RequestInit = {}) =>
  fetch(url, {
    method: 'POST',
    body: BODY,
    ...init,
    headers: { 'Content-Type': 'application/json', ...(origin && { Origin: origin }), ...init.headers },
  });
const preflight = (url: string, origin?: string, method: string | undefined = 'POST') =>
  fetch(url, {
    method: 'OPTIONS',
    headers: {
      ...(origin && { Origin: origin }),
      ...(method && { 'Access-Control-Request-Method': method }),
      'Access-Control-Request-Headers': 'authorization,content-type',
    },
  });
const corsLines = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name === 'vary' || name.startsWith('access-control-')));

const EXPOSED =
  'Retry-After, WWW-Authenticate, Idempotency-Replayed, Preference-Applied, Location, traceparent';
const ALLOWED = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': EXPOSED,
  vary: 'Origin',
});

/** Every kind of answer there is, by path. */
const ANSWERS: [path: string, init: RequestInit, status: number][] = [
  ['/tasks', {}, 202],
  ['/tasks', { body: '{"data":1,"delay":60}' }, 202],
  ['/tasks', { headers: { 'Idempotency-Key': 'one' } }, 202],
  ['/tasks', { headers: { 'Idempotency-Key': '' } }, 400],
  ['/tasks', { body: '{' }, 400],
  ['/tasks', { body: '{}' }, 422],
  ['/tasks', { headers: { 'Content-Type': 'text/plain' } }, 415],
  ['/tasks', { body: `"${'x'.repeat(2000)}"` }, 413],
  ['/tasks/batch', { body: '[{"data":1}]' }, 202],
  ['/tasks/batch', { body: '[{"data":1},{}]' }, 207],
  ['/tasks/batch', { body: '[{}]' }, 422],
  ['/tasks/batch', { body: '[' }, 400],
  ['/tasks/unknown/batch', {}, 404],
  ['/tasks', { method: 'DELETE' }, 405],
  ['/tasks/unknown', {}, 404],
  ['/nothing', {}, 404],
  ['/livez', { method: 'GET', body: null }, 200],
  ['/openapi.json', { method: 'GET', body: null }, 200],
  ['/docs', { method: 'GET', body: null }, 200],
];

test('every answer, good or bad, names the origin that asked if it is allowed, and varies by it', async (t) => {
  const { url } = await runEngine(t, redis.server.url, {
    corsOrigins: `${APP}, ${OTHER_APP}`,
    maxPayloadSize: 1000,
  });
  for (const [path, init, status] of ANSWERS) {
    for (const [origin, lines] of [
      [APP, ALLOWED(APP)],
      [OTHER_APP, ALLOWED(OTHER_APP)],
      [STRANGER, { vary: 'Origin' }],
      ['null', { vary: 'Origin' }],
      [`${APP}.evil.example`, { vary: 'Origin' }],
      [undefined, { vary: 'Origin' }],
    ] as const) {
      const answer = await send(url + path, origin, init);
      assert.equal(answer.status, status, path);
      assert.deepEqual(corsLines(answer), lines, `${status} ${path} ${origin}`);
      await answer.text();
    }
  }
});

test('a refusal that closes the connection names the origin, and one for want of a key or of Redis too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cors-'));
  t.after(() => rm(folder, { recursive: true }));
  const key = newApiKey();
  writeFileSync(join(folder, 'keys'), `web mail ${digestOfApiKey(key)}\n`);
  const { url, port } = await runEngine(t, redis.server.url, {
    corsOrigins: APP,
    apiKeysFile: join(folder, 'keys'),
  });
  const head = ['POST /tasks HTTP/1.1', 'Host: x', `Origin: ${APP}`, 'Transfer-Encoding: gzip', '', ''];
  const { text } = await exchange(port, [head.join('\r\n')]);
  assert.match(text, /^HTTP\/1\.1 400 .*Access-Control-Allow-Origin: https:\/\/app\.example\.org\r\n/s);
  for (const [authorization, status] of [
    ['', 401],
    [`Bearer ${key}`, 403],
  ] as const) {
    const answer = await send(`${url}/tasks`, APP, { headers: { Authorization: authorization } });
    assert.equal(answer.status, status);
    assert.deepEqual(corsLines(answer), ALLOWED(APP));
  }
  // A preflight carries no key, and needs none.
  assert.equal((await preflight(`${url}/tasks`, APP)).status, 204);

  const { url: away } = await runEngine(t, redis.server.url, { corsOrigins: APP, maxInFlightRequests: 1 });
  const both = await Promise.all([send(`${away}/tasks`, APP), send(`${away}/tasks`, APP)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [202, 503]);
  for (const answer of both) assert.deepEqual(corsLines(answer), ALLOWED(APP));
});

test('a preflight of an allowed origin is answered 204 with what may be sent; of another, 403', async (t) => {
  const { url, port, engine } = await runEngine(t, redis.server.url, { corsOrigins: APP });
  for (const path of ['/tasks', '/tasks/mail', '/health', '/nothing']) {
    const answer = await preflight(url + path, APP);
    assert.equal(answer.status, 204);
    assert.deepEqual(corsLines(answer), {
      ...ALLOWED(APP),
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers':
        'Authorization, Content-Type, Idempotency-Key, Prefer, Traceparent, Tracestate, X-API-Key',
      'access-control-max-age': '7200',
    });
    // RFC 9110, 8.6: a 204 has no length.
    assert.equal(answer.headers.get('content-length'), null);
  }
  for (const origin of [STRANGER, 'null', APP.toUpperCase(), `${APP}/`]) {
    const answer = await preflight(`${url}/tasks`, origin);
    assert.deepEqual([answer.status, corsLines(answer)], [403, { vary: 'Origin' }]);
    assert.equal(((await answer.json()) as { error: { code: string } }).error.code, 'FORBIDDEN');
  }
  // The connection goes on after a 204, and after a 403.
  const asking = (origin: string) =>
    `OPTIONS /tasks HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: POST\r\n\r\n`;
  const live = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const origin of [APP, STRANGER]) {
    assert.match(
      (await exchange(port, [asking(origin), live], /alive/)).text,
      /\r\n\r\n.*HTTP\/1\.1 200 OK/s,
    );
  }
  assert.equal(engine.counters.requests, 0);
});

test('OPTIONS that is no preflight is what it is without CORS', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { corsOrigins: APP });
  for (const [origin, method] of [
    [undefined, undefined],
    [APP, ''],
    [undefined, 'POST'],
  ] as const) {
    const answer = await preflight(`${url}/tasks`, origin, method);
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
  }
});

test('with * every origin may read, and answers are the same to all', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { corsOrigins: '*' });
  const lines = { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED };
  for (const origin of [APP, STRANGER, undefined]) {
    assert.deepEqual(corsLines(await send(`${url}/tasks`, origin)), lines);
  }
  assert.equal((await preflight(`${url}/tasks`, STRANGER)).status, 204);
});

test('without CORS_ORIGINS no answer has a line of it, and preflights are refused', async (t) => {
  const { url } = await runEngine(t, redis.server.url);
  assert.deepEqual(corsLines(await send(`${url}/tasks`, APP)), {});
  const answer = await preflight(`${url}/tasks`, APP);
  assert.deepEqual([answer.status, corsLines(answer)], [405, {}]);
});

test('a wrong list of origins is one line that says what is allowed', () => {
  assert.throws(() => createEngine({ corsOrigins: `${APP}/` }), {
    code: 'INVALID_OPTIONS',
    message:
      'corsOrigins is "https://app.example.org/"; allowed: * or origins with commas between, such as https://app.example.org, without a slash at the end',
  });
});
