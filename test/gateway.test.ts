import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createEngine, type Engine } from '@sluice/engine';
import { freePort, type RedisServer, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';

const CONFIGURATION = new URL('../../deploy/nginx/nginx.conf', import.meta.url);
const STREAM = 'tasks:stream';
const BODY = '{"data":"wanted"}';
const HIDDEN = `POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"data":"hidden"}`;

const hasNginx = spawnSync('nginx', ['-v']).error === undefined;

describe('the gateway in front of the engine', { skip: !hasNginx && 'nginx is not installed' }, () => {
  let folder: string;
  let redis: RedisServer;
  let client: Redis;
  let engine: Engine;
  let recorder: Recorder;
  let port: number;
  let nginx: ReturnType<typeof spawn>;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-gateway-'));
    chmodSync(folder, 0o755); // started by root, nginx works as somebody else, and puts large bodies into files
    redis = await startRedis();
    client = new Redis(redis.url);
    engine = createEngine({ redisUrl: redis.url, host: '127.0.0.1', port: 0, shutdownDelaySeconds: 0 });
    recorder = await startRecorder((await engine.start()).port);
    port = await freePort();
    const text = readFileSync(CONFIGURATION, 'utf8')
      .replace('server engine:8000;', `server 127.0.0.1:${recorder.port};`)
      .replace('listen 8080 ', `listen 127.0.0.1:${port} `)
      .replace('worker_processes auto;', 'worker_processes 1;')
      .replaceAll(' /tmp/nginx', ` ${folder}/nginx`);
    writeFileSync(join(folder, 'nginx.conf'), text);
    nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder, '-g', 'daemon off;'], {
      stdio: 'ignore',
    });
    await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, {
      timeoutMs: 20_000,
      what: 'the gateway and the engine behind it',
    });
  });

  after(async () => {
    nginx.kill('SIGTERM');
    await new Promise((gone) => nginx.once('exit', gone));
    recorder.server.close();
    await engine.stop();
    client.disconnect();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const stored = async () =>
    (await client.xrange(STREAM, '-', '+')).map(([, fields]) => fields[fields.indexOf('payload') + 1]);

  it('takes tasks, chunked ones too, and hands on what the engine says', async () => {
    const head = 'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const plain = await exchange(port, `${head}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
    assert.match(plain, /^HTTP\/1\.1 202 /);
    const chunked = await exchange(
      port,
      `${head}Transfer-Encoding: chunked\r\n\r\n11\r\n${BODY}\r\n0\r\n\r\n`,
    );
    assert.match(chunked, /^HTTP\/1\.1 202 /);
    assert.deepEqual(await stored(), [BODY, BODY]);
    assert.match(
      await exchange(port, `${head}Content-Length: 1\r\n\r\nx`),
      /^HTTP\/1\.1 400 .*"INVALID_JSON"/s,
    );
    await client.del(STREAM);
  });

  it('refuses what is larger than it takes in the form of our errors', async () => {
    const head = 'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const answer = await exchange(port, `${head}Content-Length: 2000000\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 413 .*"code":"PAYLOAD_TOO_LARGE"/s);
  });

  const unreadable: readonly [what: string, request: string, status: number, code: string][] = [
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a method in small letters', 'post /tasks HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a path that cannot be decoded', 'GET /tasks/%zz HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a path that leads out', 'GET /../x HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a path too long', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414, 'BAD_REQUEST'],
    [
      'headers too long for the engine',
      `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(4000)}\r\n\r\n`,
      431,
      'BAD_REQUEST',
    ],
    ['a method it does not take', 'TRACE /tasks HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
    [
      'an encoding it does not know',
      'POST /tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
      501,
      'BAD_REQUEST',
    ],
    ['another version', 'GET /livez HTTP/3.0\r\nHost: x\r\n\r\n', 505, 'BAD_REQUEST'],
    ['a path of its own', 'GET /refused/body HTTP/1.1\r\nHost: x\r\n\r\n', 404, 'NOT_FOUND'],
  ];
  for (const [what, request, status, code] of unreadable) {
    it(`answers what it cannot read or pass on in the form of our errors: ${what}`, async () => {
      const answer = await exchange(port, request);
      assert.match(
        answer,
        new RegExp(`^HTTP/1\\.1 ${status} .*\\{"error":\\{"code":"${code}","message":"`, 's'),
      );
    });
  }

  const first = 'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const ambiguous: readonly [what: string, request: string][] = [
    [
      'two different lengths',
      `${first}Content-Length: 5\r\nContent-Length: ${5 + HIDDEN.length}\r\n\r\n12345${HIDDEN}`,
    ],
    [
      'the same length twice',
      `${first}Content-Length: ${BODY.length}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    ],
    ['a list of lengths', `${first}Content-Length: 5, ${5 + HIDDEN.length}\r\n\r\n12345${HIDDEN}`],
    ['a length with a sign', `${first}Content-Length: +17\r\n\r\n${BODY}`],
    ['a length in hexadecimal', `${first}Content-Length: 0x11\r\n\r\n${BODY}`],
    ['two hosts', `${first}Host: y\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`],
    [
      'no host',
      `POST /tasks HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    ],
    [
      'length and chunks',
      `${first}Content-Length: ${HIDDEN.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    [
      'chunks and length',
      `${first}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    [
      'chunked twice',
      `${first}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    ['an encoding before chunked', `${first}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
    ['an unknown encoding', `${first}Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n12345${HIDDEN}`],
    [
      'a blank before the colon',
      `${first}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n12345${HIDDEN}`,
    ],
    ['a folded line', `${first}Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n12345${HIDDEN}`],
    [
      'a chunk size that overflows',
      `${first}Transfer-Encoding: chunked\r\n\r\n10000000000000011\r\n${BODY}\r\n0\r\n\r\n`,
    ],
    ['a chunk size that is none', `${first}Transfer-Encoding: chunked\r\n\r\n-1\r\n${BODY}\r\n0\r\n\r\n`],
    [
      'a control character in a name',
      `${first}Content\x01Length: 3\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    ],
  ];
  for (const [what, request] of ambiguous) {
    it(`lets no ambiguity through to the engine: ${what}`, async () => {
      await client.del(STREAM);
      recorder.heads.length = 0;
      await exchange(port, request);
      assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
      assert.ok(recorder.heads.length > 0, 'not even the last request was recorded');
      assert.deepEqual(recorder.heads.filter(isAmbiguous), []);
      // Bytes behind a request are the next one, by the same reading for both: only what nginx passes on counts.
      for (const payload of await stored()) assert.equal(payload, BODY);
    });
  }

  it('negative control: before the gateway, nearly all of them are ambiguous', () => {
    const heads = ambiguous.map(([, request]) => request.slice(0, request.indexOf('\r\n\r\n')));
    assert.ok(
      heads.filter(isAmbiguous).length >= ambiguous.length - 2,
      heads.filter((head) => !isAmbiguous(head)).join('\n'),
    );
  });

  // After those that look at heads: the recorder takes bodies of several packets for heads.
  it('lets batches through that are larger than a single task may be, and not what the engine would refuse', async () => {
    const send = async (path: string, bytes: number) => {
      const body = `[{"data":"wanted"}${' '.repeat(bytes - 19)}]`;
      const headers = { 'Content-Type': 'application/json' };
      return (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body })).status;
    };
    assert.equal(await send('/tasks/batch', 4_194_304), 202);
    assert.equal(await send('/tasks/batch?of=two', 1_048_577), 202);
    assert.equal(await send('/tasks/none/batch', 1_048_577), 404);
    assert.equal((await stored()).length, 2);
    await client.del(STREAM);
  });

  it('answers 503, and that the task may be stored, when the engine does not answer', async () => {
    await engine.stop();
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: BODY };
    const response = await fetch(`http://127.0.0.1:${port}/tasks`, init);
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1']);
    assert.match(await response.text(), /"APPEND_UNCONFIRMED"/);
  });
});

/** Sends bytes and returns what came back, at the latest after a second of silence. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (/\r\n\r\n.+/s.test(text)) socket.end();
    });
    socket.on('error', () => {}); // a reset is an answer, too
    socket.on('close', () => resolve(text));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('connect', () => socket.write(bytes, 'latin1'));
  });
}

interface Recorder {
  readonly port: number;
  readonly server: Server;
  /** The heads of all requests that came by. */
  readonly heads: string[];
}

/** Hands on to a port what comes, and writes down the heads of the requests. */
async function startRecorder(to: number): Promise<Recorder> {
  const heads: string[] = [];
  const server = createServer((socket) => {
    const target = connect(to, '127.0.0.1');
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      const end = seen.lastIndexOf('\r\n\r\n');
      if (end !== -1) {
        heads.push(...headsIn(seen.slice(0, end)));
        seen = '';
      }
    });
    socket.pipe(target).pipe(socket);
    for (const side of [socket, target]) side.on('error', () => {}); // the other end notices
  });
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  return { port: (server.address() as AddressInfo).port, server, heads };
}

const headsIn = (text: string): string[] =>
  text.split(/(?=(?:GET|POST) \/\S* HTTP\/1\.[01]\r\n)/).map((one) => one.split('\r\n\r\n')[0] ?? '');

/** Whether two readers could disagree on whose request this is, or on where it ends (RFC 9112, 3.2 and 6.3). */
function isAmbiguous(head: string): boolean {
  const lines = head.split('\r\n').slice(1);
  const named = (name: string) => lines.filter((line) => line.toLowerCase().startsWith(`${name}:`));
  const [length, ...moreLengths] = named('content-length');
  return (
    named('host').length !== 1 ||
    moreLengths.length > 0 ||
    (length !== undefined && !/^[^:]+: \d+$/.test(length)) ||
    /transfer-encoding/i.test(head) ||
    lines.some((line) => !/^[\w-]+:/.test(line))
  );
}
