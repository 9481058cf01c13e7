import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '@sluice/contract';
import { findRedis } from '@sluice/launcher';
import { script } from './sluice.js';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-launcher-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A program that prints a line and exits. */
function program(path: string, prints: string, exitCode = 0): Promise<string> {
  return script(path, `echo '${prints}'\nexit ${exitCode}`);
}

/** A machine with nothing on it but the tools of a shell, and a folder on the PATH to put programs in. */
async function machine(t: TestContext): Promise<{ dataDir: string; environment: { PATH: string } }> {
  const dataDir = await folder(t);
  const tools = join(dataDir, 'tools');
  await mkdir(tools);
  for (const tool of ['env', 'touch', 'chmod', 'true']) {
    const found = (process.env.PATH ?? '')
      .split(':')
      .map((part) => join(part, tool))
      .find((path) => existsSync(path));
    await symlink(found ?? tool, join(tools, tool));
  }
  return { dataDir, environment: { PATH: `${dataDir}:${tools}` } };
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

test('passes over a Redis that is too old, and says so when there is no other', async (t) => {
  const dataDir = await folder(t);
  const old = await program(join(dataDir, 'redis-server'), 'Redis server v=6.2.7 sha=0');
  await assert.rejects(findRedis({ dataDir, environment: { PATH: dataDir } }), (error: SluiceError) => {
    assert.equal(error.code, 'REDIS_UNAVAILABLE');
    assert.ok(error.message.includes(`${old} is version 6.2.7; needed: 7.0 or later`), error.message);
    return true;
  });
  const valkey = await program(join(dataDir, 'valkey-server'), 'Server v=8.0.1 sha=0');
  assert.equal((await findRedis({ dataDir, environment: { PATH: dataDir } })).program, valkey);
});

test('says what is wrong with the program that REDIS_SERVER_BIN names, and tries no other', async (t) => {
  const dataDir = await folder(t);
  await program(join(dataDir, 'redis-server'), 'Redis server v=7.0.0 sha=0');
  const search = (given: string) =>
    findRedis({ dataDir, environment: { PATH: dataDir, REDIS_SERVER_BIN: given } });
  const other = await program(join(dataDir, 'mine'), 'something else');
  await assert.rejects(
    search(other),
    /^SluiceError: REDIS_SERVER_BIN is .*mine: it does not run as a Redis server$/,
  );
  const old = await program(join(dataDir, 'old'), 'Redis server v=6.0.16 sha=0');
  await assert.rejects(
    search(old),
    /REDIS_SERVER_BIN is .*old: it is version 6\.0\.16; needed: 7\.0 or later$/,
  );
  await assert.rejects(search(join(dataDir, 'none')), /REDIS_SERVER_BIN is .*none: it does not run/);
});

test('turns to Docker where its daemon answers, and to nothing else', async (t) => {
  const dataDir = await folder(t);
  const docker = await program(join(dataDir, 'docker'), 'Server: yes');
  const found = await findRedis({ dataDir, environment: { PATH: dataDir } });
  assert.equal(found.kind, 'docker');
  assert.equal(found.program, docker);
  await program(docker, 'Cannot connect to the Docker daemon', 1);
  await assert.rejects(findRedis({ dataDir, environment: { PATH: dataDir } }), (error: SluiceError) => {
    assert.match(
      error.message,
      /^no Redis to be had: no redis-server or valkey-server on the PATH; none of .*; no Docker daemon answers\. Set REDIS_URL to .* or REDIS_SERVER_BIN/,
    );
    assert.equal(error.message.includes('\n'), false);
    return true;
  });
});

test('says what it installs, and goes on when the package manager fails', async (t) => {
  const { dataDir, environment } = await machine(t);
  await program(join(dataDir, 'brew'), 'no network', 1);
  const progress: string[] = [];
  const search = { dataDir, environment, onProgress: (line: string) => progress.push(line) };
  await assert.rejects(
    findRedis(search),
    /no Redis to be had: .*; brew could not install one, see .*redis-install\.log; no Docker/,
  );
  assert.equal(progress.length, 1);
  assert.match(progress[0] ?? '', /^no Redis here: installing one with brew \(log: .*redis-install\.log\)$/);
  assert.equal(await readFile(join(dataDir, 'logs', 'redis-install.log'), 'utf8'), 'no network\n');
});

/** A package manager that finds nothing before it has been updated, and then installs under the name Debian has. */
async function debian(dataDir: string): Promise<string> {
  const bin = join(dataDir, 'bin-of-the-machine');
  await mkdir(bin, { recursive: true });
  await script(join(bin, 'sudo'), '[ "$1" = -n ] && shift; exec "$@"');
  await script(
    join(bin, 'apt-get'),
    `echo "$@" >> ${dataDir}/calls
     case "$*" in
       *update*) touch ${dataDir}/lists ;;
       *install*redis-tools*)
         [ -e ${dataDir}/lists ] || exit 100
         printf '#!/bin/sh\\necho "Redis server v=7.0.15"\\n' > ${bin}/redis-check-rdb
         chmod +x ${bin}/redis-check-rdb ;;
     esac`,
  );
  return bin;
}

test('installs with apt-get the program without its service, after an update if it needs one', async (t) => {
  const { dataDir, environment } = await machine(t);
  const PATH = `${await debian(dataDir)}:${environment.PATH}`;
  const found = await findRedis({ dataDir, environment: { PATH } });
  assert.deepEqual(found, {
    kind: 'program',
    program: join(dataDir, 'bin', 'redis-server'),
    version: '7.0.15',
  });
  const calls = (await readFile(join(dataDir, 'calls'), 'utf8')).trim().split('\n');
  assert.deepEqual(
    calls.map((call) => call.replace(/-o=\S+ /g, '')),
    [
      'install -y --no-install-recommends redis-tools',
      'update',
      'install -y --no-install-recommends redis-tools',
    ],
  );
  // It is there now: nothing is installed again.
  assert.equal((await findRedis({ dataDir, environment: { PATH } })).program, found.program);
  assert.equal((await readFile(join(dataDir, 'calls'), 'utf8')).trim().split('\n').length, 3);
});

test('of several that find no Redis at the same time, one installs it', async (t) => {
  const { dataDir, environment } = await machine(t);
  const PATH = `${await debian(dataDir)}:${environment.PATH}`;
  const search = () => findRedis({ dataDir, environment: { PATH } });
  const found = await Promise.all([search(), search(), search()]);
  assert.equal(new Set(found.map(({ program }) => program)).size, 1);
  assert.equal((await readFile(join(dataDir, 'calls'), 'utf8')).trim().split('\n').length, 3);
});

test('a lock whose holder was killed holds nobody up', async (t) => {
  const { dataDir, environment } = await machine(t);
  const PATH = `${await debian(dataDir)}:${environment.PATH}`;
  const { pid } = spawnSync('true');
  await writeFile(join(dataDir, 'redis-install.lock'), String(pid));
  assert.equal((await findRedis({ dataDir, environment: { PATH } })).version, '7.0.15');
});
