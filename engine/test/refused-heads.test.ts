import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { exchange, redisForFile, runEngine } from './fixture.js';

// What is refused for its head alone: what the answer says, and what becomes of the connection.

const redis = redisForFile();
const LIVE = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

test('a compressed body is refused as that, and not as broken JSON; the connection goes on', async (t) => {
  const { url, port, stream } = await runEngine(t, redis.server.url);
  const body = gzipSync('{"data":1}');
  for (const [path, type] of [
    ['/tasks', 'application/json'],
    ['/tasks', 'application/msgpack'],
    ['/tasks/batch', 'application/x-ndjson'],
  ] as const) {
    const headers = { 'Content-Type': type, 'Content-Encoding': 'gzip' };
    const response = await fetch(url + path, { method: 'POST', headers, body });
    assert.deepEqual([response.status, response.headers.get('accept-encoding')], [415, 'identity']);
    assert.match(
      await response.text(),
      /"UNSUPPORTED_MEDIA_TYPE","message":"the body has a Content-Encoding/,
    );
  }
  const head = 'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n';
  const { text } = await exchange(port, [`${head}Content-Encoding: br\r\n\r\n{"data":1}`, LIVE], /alive/);
  assert.match(text, /^HTTP\/1\.1 415 .*HTTP\/1\.1 200 /s);
  assert.equal(await redis.client.exists(stream), 0);

  const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'identity' };
  assert.equal((await fetch(`${url}/tasks`, { method: 'POST', headers, body: '{"data":1}' })).status, 202);
});

test('a body in chunks that nobody takes costs the connection: it may have no end', async (t) => {
  const { port } = await runEngine(t, redis.server.url, { allowChunked: true });
  for (const header of [
    'Content-Type: text/plain',
    'Content-Type: application/json\r\nContent-Encoding: gzip',
  ]) {
    const head = `POST /tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n${header}\r\n\r\n`;
    const { text, closed } = await exchange(port, [`${head}5\r\nhello\r\n`]);
    assert.match(text, /^HTTP\/1\.1 415 /);
    assert.equal(closed, true);
  }
});

test('a path that is only read says so to every other method', async (t) => {
  const { url } = await runEngine(t, redis.server.url);
  for (const path of ['/health', '/livez', '/readyz', '/openapi.json', '/docs', '/docs/swagger-ui.css']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(url + path, { method });
      assert.deepEqual(
        [response.status, response.headers.get('allow')],
        [405, 'GET, HEAD'],
        `${method} ${path}`,
      );
      assert.match(await response.text(), /"METHOD_NOT_ALLOWED"/);
    }
    assert.equal((await fetch(url + path, { method: 'HEAD' })).status, 200, path);
  }
});

test('the refusal of a batch that starts with a byte order mark says so', async (t) => {
  const { url } = await runEngine(t, redis.server.url);
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/tasks/batch`, { method: 'POST', headers, body: '\ufeff[{"data":1}]' });
  assert.equal(response.status, 400);
  assert.match(await response.text(), /"INVALID_JSON".*byte order mark/);
});
