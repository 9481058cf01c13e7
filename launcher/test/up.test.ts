import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '@sluice/testbed';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** What of the project a checkout needs once it is installed and built. */
const PARTS = ['contract', 'telemetry', 'engine', 'consumers', 'launcher', 'examples'];

interface Checkout {
  root: string;
  env: Record<string, string>;
  run(
    command: string,
    env?: Record<string, string>,
  ): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Ids of the processes that have this checkout in their command line or as their working folder. */
  processes(): number[];
}

/** A built checkout of its own, so that tests do not meet the one of whoever runs them; ended and removed after the test. */
async function checkout(t: TestContext): Promise<Checkout> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-checkout-'));
  for (const part of PARTS) {
    await cp(join(ROOT, part), join(root, part), {
      recursive: true,
      filter: (source) => !/node_modules$|\/test$|\.data$/.test(source),
    });
  }
  await mkdir(join(root, 'node_modules', '@sluice'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@sluice' && !name.startsWith('.'))
      await symlink(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  for (const part of ['contract', 'telemetry', 'engine', 'consumers', 'launcher']) {
    await symlink(join(root, part), join(root, 'node_modules', '@sluice', part));
  }
  const env = {
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    WORKER_PROCESSES: '1',
    SHUTDOWN_DELAY: '0',
  };
  const checkout: Checkout = {
    root,
    env,
    run: (command, more = {}) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [join(root, 'launcher/dist/main.js'), command], {
          env: { ...process.env, ...env, ...more },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let stdout = '';
        let stderr = '';
        child.stdout.on('data', (chunk) => {
          stdout += chunk;
        });
        child.stderr.on('data', (chunk) => {
          stderr += chunk;
        });
        child.once('close', (code) => resolve({ code, stdout, stderr }));
      }),
    processes: () => {
      const lines = spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).stdout.split('\n');
      const portFile = join(root, '.data/redis.port');
      const redis = existsSync(portFile) ? `127.0.0.1:${readFileSync(portFile, 'utf8')}` : root;
      return lines
        .filter((line) => line.includes(root) || line.includes(redis))
        .map((line) => Number.parseInt(line, 10));
    },
  };
  t.after(async () => {
    await checkout.run('down');
    for (const pid of checkout.processes()) process.kill(pid, 'SIGKILL');
    await rm(root, { recursive: true, force: true });
  });
  return checkout;
}

test('up starts all in the background, the curl line it prints works, and down leaves nothing running', async (t) => {
  const { run, root, processes } = await checkout(t);
  const { code, stdout, stderr } = await run('up');
  assert.equal(code, 0, stderr);
  const curl = /curl .*/.exec(stdout)?.[0] ?? '';
  const sent = spawnSync('sh', ['-c', `${curl} -s`], { encoding: 'utf8' });
  assert.match(sent.stdout, /^HTTP\/1\.1 202 [\s\S]*"task_id":"/);

  const again = await run('up');
  assert.equal(again.code, 0);
  assert.match(again.stdout, /^Sluice runs already/);
  assert.match(again.stdout, new RegExp(/http:\S+\/tasks/.exec(stdout)?.[0] ?? 'missing'));

  const down = await run('down');
  assert.equal(down.code, 0);
  assert.equal(down.stdout.trim(), 'ended: engine, consumers, Redis');
  assert.deepEqual(processes(), []);
  assert.deepEqual(
    readdirSync(join(root, '.data')).sort(),
    ['digest', 'logs', 'redis'].filter((name) => existsSync(join(root, '.data', name))),
  );
  assert.equal((await run('down')).stdout.trim(), 'Sluice does not run');
});

test('a launcher that was killed leaves nothing running after the next up and down', async (t) => {
  const { run, root, processes } = await checkout(t);
  assert.equal((await run('up')).code, 0);
  const keeper = processes().find((pid) => {
    return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes(
      'main.js keep',
    );
  });
  assert.ok(keeper !== undefined);
  process.kill(keeper, 'SIGKILL');
  await waitFor(() => processes().length === 1, {
    timeoutMs: 15_000,
    what: 'engine and consumers to end by themselves',
  });
  const up = await run('up');
  assert.equal(up.code, 0, up.stderr);
  assert.match(up.stdout, /ended the Redis of a launcher that was killed/);
  assert.equal((await run('down')).code, 0);
  assert.deepEqual(processes(), []);
  assert.equal(existsSync(join(root, '.data/control.sock')), false);
});

test('a port in use is one line, and nothing is left running', async (t) => {
  const { run, env, processes } = await checkout(t);
  const holder = createServer().listen(Number(env.SERVICE_PORT), '127.0.0.1');
  t.after(() => holder.close());
  const { code, stderr } = await run('up');
  assert.equal(code, 1);
  assert.equal(
    stderr.trim(),
    `SERVICE_PORT is ${env.SERVICE_PORT}: cannot listen on 127.0.0.1:${env.SERVICE_PORT}, another program listens there`,
  );
  assert.deepEqual(processes(), []);
});

test('a wrong variable is one line, whichever program reads it', async (t) => {
  const { run, processes } = await checkout(t);
  const engine = await run('up', { MAX_PAYLOAD_SIZE: 'abc' });
  assert.equal(engine.code, 1);
  assert.match(engine.stderr.trim(), /^MAX_PAYLOAD_SIZE is "abc"; allowed: a whole number from 1 to \d+$/);
  const consumers = await run('up', { MAX_ATTEMPTS: '0' });
  assert.equal(consumers.code, 1);
  assert.match(consumers.stderr.trim(), /^MAX_ATTEMPTS is 0; allowed: a whole number from 1/);
  assert.deepEqual(processes(), []);
});

test('without any Redis to be had, up says so in one line', async (t) => {
  const { run, root } = await checkout(t);
  const { code, stderr } = await run('up', { PATH: join(root, 'empty'), REDIS_SERVER_BIN: '' });
  assert.equal(code, 1);
  assert.match(stderr.trim(), /^no Redis to be had: [^\n]+$/);
});

test('a REDIS_URL at which nobody answers is one line, without its password', async (t) => {
  const { run } = await checkout(t);
  const { code, stderr } = await run('up', { REDIS_URL: `redis://:geheim@127.0.0.1:${await freePort()}` });
  assert.equal(code, 1);
  assert.match(stderr.trim(), /^REDIS_URL is redis:\/\/\*\*\*@127\.0\.0\.1:\d+: [^\n]*ECONNREFUSED[^\n]*$/);
});

test('logs are kept per program, one older generation of each', async (t) => {
  const { run, root } = await checkout(t);
  for (let round = 0; round < 2; round++) {
    assert.equal((await run('up')).code, 0);
    assert.equal((await run('down')).code, 0);
  }
  const logs = readdirSync(join(root, '.data/logs')).sort();
  assert.deepEqual(logs, [
    'consumers.log',
    'consumers.log.1',
    'engine.log',
    'engine.log.1',
    'launcher.log',
    'redis.log',
    'redis.log.1',
  ]);
  assert.match(await readFile(join(root, '.data/logs/engine.log'), 'utf8'), /"message":"engine listening"/);
});
