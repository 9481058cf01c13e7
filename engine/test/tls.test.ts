import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { createEngine } from '@sluice/engine';
import { freePort, startProcess, waitFor } from '@sluice/testbed';
import {
  childrenOf,
  ENGINE_PROGRAM,
  entriesOf,
  exchange,
  post,
  redisForFile,
  runEngine,
  runProgram,
} from './fixture.js';

const CERT = fileURLToPath(new URL('../fixtures/test-only.cert.pem', import.meta.url));
const KEY = fileURLToPath(new URL('../fixtures/test-only.key.pem', import.meta.url));
const CERTIFICATE = readFileSync(CERT);
const BODY = '{"data":1}';

const redis = redisForFile();
const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
after(() => rmSync(folder, { recursive: true }));

/** Sends a task over a connection of its own, as a client that trusts only `ca`. */
function postSecurely(url: string, body: string, ca?: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const sent = request(`${url}/tasks`, { method: 'POST', headers, ca, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    sent.on('error', reject).end(body);
  });
}

function fileWith(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

test('with a certificate tasks are taken over HTTPS, from clients that check it, and over nothing else', async (t) => {
  const { url, port, stream } = await runEngine(t, redis.server.url, { tlsCertFile: CERT, tlsKeyFile: KEY });
  assert.equal(url, `https://127.0.0.1:${port}`);
  const large = `{"data":"${'x'.repeat(300_000)}"}`;
  assert.equal(await postSecurely(url, BODY, CERTIFICATE), 202);
  assert.equal(await postSecurely(url, large, CERTIFICATE), 202);
  assert.deepEqual(
    (await entriesOf(redis.client, stream)).map(({ payload }) => payload),
    [BODY, large],
  );
  await assert.rejects(postSecurely(url, BODY), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const plain = await exchange(port, [`GET /livez HTTP/1.1\r\nHost: x\r\n\r\n`]);
  assert.equal(plain.closed, true);
  assert.doesNotMatch(plain.text, /alive/);
});

test('TLS before 1.2 is refused', async (t) => {
  const { port } = await runEngine(t, redis.server.url, { tlsCertFile: CERT, tlsKeyFile: KEY });
  const versionFor = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
    new Promise<string | null>((resolve, reject) => {
      const options = { ca: CERTIFICATE, minVersion: version, maxVersion: version } as const;
      // Else our own side refuses the old version already.
      const socket = connect({ port, host: '127.0.0.1', ciphers: 'DEFAULT:@SECLEVEL=0', ...options });
      socket.on('error', reject).on('secureConnect', () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
    });
  assert.equal(await versionFor('TLSv1.2'), 'TLSv1.2');
  assert.equal(await versionFor('TLSv1.3'), 'TLSv1.3');
  await assert.rejects(versionFor('TLSv1.1'), /alert protocol version/);
});

test('without a certificate nobody speaks TLS', async (t) => {
  const { url, port } = await runEngine(t, redis.server.url);
  assert.equal(url, `http://127.0.0.1:${port}`);
  assert.equal((await post(`${url}/tasks`, BODY)).status, 202);
  await assert.rejects(postSecurely(`https://127.0.0.1:${port}`, BODY, CERTIFICATE));
});

test('all processes of the program share the port with TLS, and a new one after a crash does too', async (t) => {
  const program = await runProgram(t, redis.server.url, { TLS_CERT_FILE: CERT, TLS_KEY_FILE: KEY });
  assert.match(program.url, /^https:/);
  const send = () =>
    Promise.all(Array.from({ length: 16 }, () => postSecurely(program.url, BODY, CERTIFICATE)));
  assert.deepEqual([...new Set(await send())], [202]);
  const victims = childrenOf(program.pid);
  assert.equal(victims.length, 2);
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  await waitFor(
    () => {
      const now = childrenOf(program.pid);
      return now.length === 2 && now.every((pid) => !victims.includes(pid));
    },
    { timeoutMs: 20_000, what: 'both processes to be replaced' },
  );
  await waitFor(async () => (await fetch(`${program.opsUrl}/health`)).ok, {
    timeoutMs: 20_000,
    what: 'both processes to have Redis',
  });
  assert.deepEqual([...new Set(await send())], [202]);
  program.signal('SIGTERM');
  assert.equal((await program.exited).code, 0);
});

const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const cut = CERTIFICATE.toString().slice(0, 400);
const WRONG: [what: string, cert: string | undefined, key: string | undefined, line: RegExp][] = [
  [
    'a certificate alone',
    CERT,
    undefined,
    /^tlsKeyFile is not set, but a certificate is given; allowed: both/,
  ],
  ['a key alone', undefined, KEY, /^tlsCertFile is not set, but a private key is given; allowed: both/],
  [
    'a missing file',
    '/nowhere/c.pem',
    KEY,
    /^tlsCertFile is "\/nowhere\/c.pem", .*ENOENT.*; allowed: a read/,
  ],
  [
    'a folder',
    CERT,
    folder,
    /^tlsKeyFile is ".*", which cannot be read \(EISDIR\); allowed: a readable file/,
  ],
  ['an empty file', fileWith('empty', ''), KEY, /^tlsCertFile is ".*", which holds no certificate; allowed/],
  ['half a certificate', fileWith('half', cut), KEY, /^tlsCertFile is ".*", which holds no certificate/],
  ['the key as certificate', KEY, KEY, /^tlsCertFile is ".*", which holds no certificate; allowed: /],
  ['the certificate as key', CERT, CERT, /^tlsKeyFile is ".*", which holds no private key; allowed: /],
  [
    'the key of another certificate',
    CERT,
    fileWith('other.pem', otherKey.export(pkcs8)),
    /^tlsKeyFile is ".*other.pem", which is not the key of the certificate in ".*test-only.cert.pem"; allowed: /,
  ],
  [
    'a key with a passphrase',
    CERT,
    fileWith('locked.pem', otherKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' })),
    /^tlsKeyFile is ".*", whose key is encrypted; allowed: .*, without a passphrase$/,
  ],
  [
    'a key on a curve that no client knows',
    CERT,
    fileWith('k1.pem', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export(pkcs8)),
    /^tlsKeyFile is ".*", whose kind of key uWebSockets.js cannot serve; allowed: .*P-256/,
  ],
];

for (const [what, tlsCertFile, tlsKeyFile, line] of WRONG) {
  test(`${what} stops the start with one line`, () => {
    const given = { ...(tlsCertFile && { tlsCertFile }), ...(tlsKeyFile && { tlsKeyFile }) };
    assert.throws(
      () => createEngine({ redisUrl: redis.server.url, ...given }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'INVALID_OPTIONS');
        assert.match(error.message, line);
        assert.doesNotMatch(error.message, /\n|MIGH|BEGIN/); // nor any of what is in the files
        return true;
      },
    );
  });
}

test('the program names the variable', async () => {
  const program = startProcess(ENGINE_PROGRAM, {
    REDIS_URL: redis.server.url,
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    TLS_CERT_FILE: CERT,
    TLS_KEY_FILE: join(folder, 'other.pem'),
  });
  assert.equal((await program.exited).code, 1);
  assert.match(
    program.output(),
    /^TLS_KEY_FILE is ".*other.pem", which is not the key of .*; allowed: [^\n]*\n$/,
  );
});
