import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@sluice/testbed';
import { childrenOf, redisForFile, runProgram } from './fixture.js';

const redis = redisForFile();

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Sends a task over a connection of its own; resolves with the status, or with what broke the connection. */
function send(url: string, ca: Buffer): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': 10 };
    const sent = request(`${url}/tasks`, { method: 'POST', headers, ca, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)).end('{"data":1}');
  });
}

test('a renewed certificate is served once each process was asked to end, one after the other', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const use = (name: string): void => {
    copyFileSync(fixture(`${name}.cert.pem`), cert);
    copyFileSync(fixture(`${name}.key.pem`), key);
  };
  use('test-only');
  const program = await runProgram(t, redis.server.url, { TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
  const [before, after] = ['test-only', 'test-only.renewed'].map((name) =>
    readFileSync(fixture(`${name}.cert.pem`)),
  ) as [Buffer, Buffer];
  assert.equal(await send(program.url, before), 202);

  use('test-only.renewed');
  for (const pid of childrenOf(program.pid)) {
    process.kill(pid, 'SIGTERM');
    await waitFor(
      async () => {
        const now = childrenOf(program.pid);
        return now.length === 2 && !now.includes(pid) && (await fetch(`${program.opsUrl}/health`)).ok;
      },
      { timeoutMs: 20_000, what: 'a process to be replaced' },
    );
  }
  const all = await Promise.all(Array.from({ length: 16 }, () => send(program.url, after)));
  assert.deepEqual([...new Set(all)], [202]);
  assert.notEqual(await send(program.url, before), 202);
});
