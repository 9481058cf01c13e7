import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '@sluice/contract';
import { findRedis } from '@sluice/launcher';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-launcher-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A program that prints a line and exits. */
async function program(path: string, prints: string, exitCode = 0): Promise<string> {
  await writeFile(path, `#!/bin/sh\necho '${prints}'\nexit ${exitCode}\n`);
  await chmod(path, 0o755);
  return path;
}

test('takes the program that REDIS_SERVER_BIN names before any other', async (t) => {
  const dataDir = await folder(t);
  const given = await program(join(dataDir, 'mine'), 'Redis server v=7.2.4 sha=0');
  await program(join(dataDir, 'redis-server'), 'Redis server v=7.0.0 sha=0');
  const found = await findRedis({ dataDir, environment: { PATH: dataDir, REDIS_SERVER_BIN: given } });
  assert.deepEqual(found, { kind: 'program', program: given, version: '7.2.4' });
});

test('takes a Valkey where there is no Redis', async (t) => {
  const dataDir = await folder(t);
  const valkey = await program(join(dataDir, 'valkey-server'), 'Server v=8.0.1 sha=0');
  const found = await findRedis({ dataDir, environment: { PATH: dataDir } });
  assert.deepEqual(found, { kind: 'program', program: valkey, version: '8.0.1' });
});

test('refuses a Redis that is too old, and says which it needs', async (t) => {
  const dataDir = await folder(t);
  await program(join(dataDir, 'redis-server'), 'Redis server v=6.2.7 sha=0');
  await assert.rejects(findRedis({ dataDir, environment: { PATH: dataDir } }), (error: SluiceError) => {
    assert.equal(error.code, 'REDIS_UNAVAILABLE');
    assert.match(error.message, /is version 6\.2\.7; needed: 7\.0 or later$/);
    return true;
  });
});

test('says that REDIS_SERVER_BIN is no Redis server when it is none', async (t) => {
  const dataDir = await folder(t);
  const given = await program(join(dataDir, 'mine'), 'something else');
  await assert.rejects(
    findRedis({ dataDir, environment: { REDIS_SERVER_BIN: given } }),
    /REDIS_SERVER_BIN is .*mine: it does not run/,
  );
});

test('turns to Docker where its daemon answers, and to nothing else', async (t) => {
  const dataDir = await folder(t);
  const docker = await program(join(dataDir, 'docker'), 'Server: yes');
  const found = await findRedis({ dataDir, environment: { PATH: dataDir } });
  assert.equal(found.kind, 'docker');
  assert.equal(found.program, docker);
  await program(docker, 'Cannot connect to the Docker daemon', 1);
  await assert.rejects(findRedis({ dataDir, environment: { PATH: dataDir } }), (error: SluiceError) => {
    assert.match(error.message, /^no Redis to be had: .*; set REDIS_URL to .* or REDIS_SERVER_BIN/);
    assert.equal(error.message.includes('\n'), false);
    return true;
  });
});

test('says what it installs, and goes on when the package manager fails', async (t) => {
  const dataDir = await folder(t);
  await program(join(dataDir, 'brew'), 'no network', 1);
  const progress: string[] = [];
  const search = {
    dataDir,
    environment: { PATH: dataDir },
    onProgress: (line: string) => progress.push(line),
  };
  await assert.rejects(findRedis(search), /no Redis to be had/);
  assert.equal(progress.length, 1);
  assert.match(progress[0] ?? '', /^no Redis here: installing one with brew \(log: .*redis-install\.log\)$/);
});
