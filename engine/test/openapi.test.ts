import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { defineTaskType, digestOfApiKey, newApiKey } from '@sluice/contract';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Type } from 'typebox';
import { exchange, post, redisForFile, runEngine, runProgram } from './fixture.js';

const redis = redisForFile();
const MAIL = defineTaskType('mail', Type.Object({ to: Type.String({ minLength: 1 }) }));
const PAGE_PATHS = ['/docs', '/docs/start.js', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css'];
const PATHS = ['/openapi.json', ...PAGE_PATHS];
const LARGEST = '/docs/swagger-ui-bundle.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-openapi-'));
after(() => rmSync(folder, { recursive: true }));

interface Operation {
  responses: Record<string, { $ref?: string }>;
}
interface Document {
  info: { title: string; version: string };
  paths: Record<string, { post?: Operation }>;
}

async function documentAt(url: string): Promise<Document> {
  const response = await fetch(`${url}/openapi.json`);
  assert.equal(response.status, 200);
  return (await response.json()) as Document;
}

async function assertValid(document: Document): Promise<void> {
  // It puts what references lead to into what it is given.
  const { valid, errors } = await new Validator().validate(structuredClone(document) as object as Shown);
  assert.ok(valid, JSON.stringify(errors));
}
type Shown = Record<string, unknown>;

/** Checks values against parts of a document, given by the keys that lead there. */
function checkerOf(document: Document): (keys: readonly string[], value: unknown) => void {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'document');
  return (keys, value) => {
    const pointer = keys.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
    const isValid = ajv.validate({ $ref: `document#/${pointer}` }, value);
    assert.ok(isValid, `${pointer}: ${ajv.errorsText()}: ${JSON.stringify(value)}`);
  };
}

const JSON_SCHEMA = ['content', 'application/json', 'schema'];

function bodyKeys(path: string): string[] {
  return ['paths', path, 'post', 'requestBody', ...JSON_SCHEMA];
}

test('the document is valid OpenAPI 3.1, and bears the name and version of the service', async (t) => {
  const { url } = await runEngine(t, redis.server.url, {
    taskTypes: [MAIL],
    serviceName: 'post office',
    serviceVersion: '7.1.0',
  });
  const document = await documentAt(url);
  await assertValid(document);
  assert.deepEqual([document.info.title, document.info.version], ['post office', '7.1.0']);
  assert.deepEqual(
    Object.keys(document.paths).filter((path) => path.startsWith('/tasks')),
    ['/tasks', '/tasks/batch', '/tasks/mail', '/tasks/mail/batch'],
  );
});

test('with the schemas of the example, it takes every sample body that the program takes', async (t) => {
  const example = new URL('../../../examples/webhooks/', import.meta.url);
  const { url } = await runProgram(t, redis.server.url, {
    SERVICE_NAME: 'hooks',
    SCHEMA_MODULE: fileURLToPath(new URL('dist/schemas.js', example)),
    WORKER_PROCESSES: '1',
  });
  const document = await documentAt(url);
  assert.equal(document.info.title, 'hooks');
  await assertValid(document);
  const check = checkerOf(document);
  const files = readdirSync(new URL('sample-bodies', example));
  let typed = 0;
  for (const file of files) {
    const path = `/tasks/github.${file.split('.')[0]}`;
    if (document.paths[path] === undefined) continue;
    const body = { data: JSON.parse(readFileSync(new URL(`sample-bodies/${file}`, example), 'utf8')) };
    assert.equal((await post(`${url}${path}`, JSON.stringify(body))).status, 202);
    check(bodyKeys(path), body);
    assert.throws(() => check(bodyKeys(path), { data: {} }));
    typed++;
  }
  assert.ok(typed >= 8, `${typed} of the sample bodies have a type`);
});

test('a body is taken if, and only if, it has the form that the document asks for', async (t) => {
  const { url } = await runEngine(t, redis.server.url, {
    taskTypes: [MAIL],
    scheduleMaxDelaySeconds: 60,
  });
  const check = checkerOf(await documentAt(url));
  const data = { to: 'x' };
  const soon = new Date(Date.now() + 30_000).toISOString();
  for (const body of [
    { data },
    { data, metadata: {} },
    { data, delay: 60 },
    { data, run_at: soon },
    { data, metadata: { a: 1 }, delay: 0 },
  ]) {
    assert.equal((await post(`${url}/tasks/mail`, JSON.stringify(body))).status, 202, JSON.stringify(body));
    check(bodyKeys('/tasks/mail'), body);
    check(bodyKeys('/tasks/mail/batch'), [body, body]);
  }
  for (const body of [
    {},
    7,
    { data: {} },
    { data, metadata: [] },
    { data, delay: 61 },
    { data, delay: '1' },
    { data, delay: 1, run_at: soon },
    { data, more: 1 },
  ]) {
    assert.equal((await post(`${url}/tasks/mail`, JSON.stringify(body))).status, 422, JSON.stringify(body));
    assert.throws(() => check(bodyKeys('/tasks/mail'), body), JSON.stringify(body));
    assert.throws(() => check(bodyKeys('/tasks/mail/batch'), [{ data }, body]), JSON.stringify(body));
  }
});

test('each answer of an engine has the form that the document states for its status', async (t) => {
  const keysFile = join(folder, 'answers');
  const key = newApiKey();
  writeFileSync(keysFile, `shop default,mail ${digestOfApiKey(key)}\n`);
  const { url } = await runEngine(t, redis.server.url, {
    taskTypes: [MAIL, defineTaskType('news', Type.Any())],
    apiKeysFile: keysFile,
    apiDocs: 'public',
    maxPayloadSize: 1000,
    maxDepth: 10,
    scheduleMaxlen: 0,
  });
  const document = await documentAt(url);
  const check = checkerOf(document);
  const bearer = { Authorization: `Bearer ${key}` };
  const seen = new Set<number>();
  for (const [path, body, headers] of [
    ['/tasks', '{"data":1}', bearer],
    ['/tasks/mail', '{"data":{"to":"x"}}', bearer],
    ['/tasks/mail', '{"data":{"to":7}}', bearer],
    ['/tasks', '{"data":1}', { ...bearer, 'Idempotency-Key': 'k' }],
    ['/tasks', '{"data":1}', { ...bearer, 'Idempotency-Key': 'k' }],
    ['/tasks', '{"data":2}', { ...bearer, 'Idempotency-Key': 'k' }],
    ['/tasks', '{"data":', bearer],
    ['/tasks', `{"data":${'['.repeat(20)}${']'.repeat(20)}}`, bearer],
    ['/tasks', '{"data":{"__proto__":1}}', bearer],
    ['/tasks', `{"data":"${'x'.repeat(1000)}"}`, bearer],
    ['/tasks', '{"data":1}', { ...bearer, 'Content-Type': 'text/plain' }],
    ['/tasks', '{"data":1}', {}],
    ['/tasks/news', '{"data":1}', bearer],
    ['/tasks', '{"data":1,"delay":60}', bearer],
    ['/tasks/batch', '[{"data":1},{"data":2}]', bearer],
    ['/tasks/batch', '{"data":1}\n{"data":2}', { ...bearer, 'Content-Type': 'application/x-ndjson' }],
    ['/tasks/batch', '[]', bearer],
    ['/tasks/mail/batch', '[{"data":{"to":"x"}},{"data":7},{"data":{"to":"x"},"delay":60}]', bearer],
    ['/tasks/mail/batch', '[{"data":7}]', bearer],
    ['/tasks/mail/batch', '[{"data":', bearer],
    ['/tasks/mail/batch', '[]', {}],
    ['/tasks/news/batch', '[{"data":1}]', bearer],
  ] as const) {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
    });
    const status = String(response.status);
    seen.add(response.status);
    const stated = document.paths[path]?.post?.responses[status];
    assert.ok(stated, `${path} is answered ${status}`);
    const keys = stated.$ref?.slice('#/'.length).split('/') ?? ['paths', path, 'post', 'responses', status];
    check([...keys, ...JSON_SCHEMA], await response.json());
    assert.equal(response.headers.has('retry-after'), status === '503');
  }
  assert.deepEqual([...seen].sort(), [202, 207, 400, 401, 403, 413, 415, 422, 503]);
});

for (const [path, type] of [
  ['/openapi.json', 'application/json'],
  ['/docs', 'text/html; charset=utf-8'],
  [LARGEST, 'text/javascript; charset=utf-8'],
  ['/docs/start.js', 'text/javascript; charset=utf-8'],
  ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
] as const) {
  test(`${path} is sent once, and to a client that has it, not again`, async (t) => {
    const { url, port } = await runEngine(t, redis.server.url);
    const first = await fetch(`${url}${path}`);
    const body = Buffer.from(await first.arrayBuffer());
    assert.equal(first.headers.get('content-type'), type);
    assert.equal(first.headers.get('cache-control'), 'no-cache');
    assert.equal(first.headers.get('content-length'), String(body.length));
    const etag = first.headers.get('etag') ?? '';
    for (const tags of [etag, `W/${etag}`, `"a", ${etag}`, '*']) {
      const again = await fetch(`${url}${path}`, { headers: { 'If-None-Match': tags } });
      assert.deepEqual([again.status, await again.text()], [304, ''], tags);
      assert.equal(again.headers.get('etag'), etag);
    }
    assert.equal((await fetch(`${url}${path}`, { headers: { 'If-None-Match': '"a"' } })).status, 200);
    const line = `HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const { text } = await exchange(port, [line, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'], /alive/);
    const [head = '', next = ''] = text.split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1\\.1 200 OK.*Content-Length: ${body.length}\\r\\n`, 's'));
    assert.match(next, /^HTTP\/1\.1 200 /);
  });
}

test('the page is made of files of this engine only, and may load no others', async (t) => {
  const { url } = await runEngine(t, redis.server.url);
  const page = await fetch(`${url}/docs`);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const html = await page.text();
  const files = [...html.matchAll(/ (?:src|href)="(?!data:)([^"]+)"/g)].map(([, file]) => `/${file}`);
  assert.deepEqual(files.sort(), PAGE_PATHS.slice(1).sort());
  assert.doesNotMatch(html, /<script>|<style| style=| on[a-z]+=/);
  assert.match(await (await fetch(`${url}/docs/start.js`)).text(), /url: 'openapi\.json'/);
});

test('off, neither the document nor the page is there', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { apiDocs: 'off' });
  for (const path of PATHS) {
    const response = await fetch(`${url}${path}`);
    assert.equal(response.status, 404, path);
    assert.match(await response.text(), /"NOT_FOUND"/);
  }
});

test('where API keys are asked for, the document is for holders of one, and public only if told so', async (t) => {
  const keysFile = join(folder, 'keys');
  const key = newApiKey();
  writeFileSync(keysFile, `shop default ${digestOfApiKey(key)}\n`);
  const closed = await runEngine(t, redis.server.url, { apiKeysFile: keysFile, taskTypes: [MAIL] });
  const refused = await fetch(`${closed.url}/openapi.json`);
  assert.equal(refused.status, 401);
  assert.doesNotMatch(await refused.text(), /mail/);
  for (const path of PAGE_PATHS) assert.equal((await fetch(`${closed.url}${path}`)).status, 404, path);
  const shown = await fetch(`${closed.url}/openapi.json`, { headers: { 'X-API-Key': key } });
  assert.equal(shown.status, 200);
  await assertValid((await shown.json()) as Document);

  const open = await runEngine(t, redis.server.url, { apiKeysFile: keysFile, apiDocs: 'public' });
  for (const path of PATHS) assert.equal((await fetch(`${open.url}${path}`)).status, 200, path);
});

test('pages of allowed origins may read the document', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { corsOrigins: 'https://app.example.org' });
  const { headers } = await fetch(`${url}/openapi.json`, { headers: { Origin: 'https://app.example.org' } });
  assert.equal(headers.get('access-control-allow-origin'), 'https://app.example.org');
});

for (const path of PATHS) {
  test(`${path}: a request whose end cannot be told is refused, and its connection closed`, async (t) => {
    const { port } = await runEngine(t, redis.server.url);
    const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n`;
    const { text, closed } = await exchange(port, [head]);
    assert.match(text, /^HTTP\/1\.1 400 .*"BAD_REQUEST"/s);
    assert.equal(closed, true);
  });
}

test('a slow client gets all of a large file', async (t) => {
  const { port, url } = await runEngine(t, redis.server.url);
  const whole = Buffer.from(await (await fetch(`${url}${LARGEST}`)).arrayBuffer());
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.pause();
      setImmediate(() => socket.resume());
    });
    socket.on('end', resolve);
    socket.on('error', reject);
    socket.write(`GET ${LARGEST} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  });
  const answer = Buffer.concat(chunks);
  assert.ok(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(whole));
});

test('who asks for a large file over and over and reads nothing is cut off and fills no memory', async (t) => {
  const { port, url } = await runEngine(t, redis.server.url);
  const request = `GET ${LARGEST} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const before = process.memoryUsage().rss;
  const socket = connect({ port, host: '127.0.0.1' });
  socket.pause();
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => {});
  socket.write(request.repeat(200));
  // Once it answers others, it has read these.
  for (let i = 0; i < 5; i++) assert.equal((await fetch(`${url}/livez`)).status, 200);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 100 * 1024 * 1024, `${Math.round(grown / 1024 / 1024)} MiB more`);
  socket.resume();
  await closed;
});
