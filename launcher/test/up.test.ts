import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findRedis } from '@sluice/launcher';
import { startRedis, waitFor } from '@sluice/testbed';
import { type Sluice, script, sluice } from './sluice.js';

const SOON = 60_000;
/** Where a Redis that had to be installed is. */
const SHARED_DATA = fileURLToPath(new URL('../../../.data', import.meta.url));

const curlLine = (stdout: string): string => /curl .*/.exec(stdout)?.[0] ?? 'there is no curl line';
const accepts = async (port: number): Promise<boolean> => {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}/tasks`, {
    method: 'POST',
    headers,
    body: '{"data":1}',
  });
  return response.status === 202;
};
/** What a launcher says to whoever connects. */
const launcherPid = (data: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect(join(data, 'control.sock'));
    socket.once('error', reject);
    socket.once('data', (line) => {
      socket.destroy();
      resolve(JSON.parse(line.toString()).run.pid);
    });
  });
/** A Redis program that starts, and is never ready. */
const slowRedis = (data: string): Promise<string> =>
  script(join(data, 'slow-redis'), '[ "$1" = --version ] && echo "Redis server v=7.0.0" || exec sleep 600');
const untilStarting = ({ data }: Sluice): Promise<void> =>
  waitFor(() => existsSync(join(data, 'run.json')), { timeoutMs: SOON, what: 'Redis to be started' });

// Each starts programs in a folder of its own, and waits for them for most of its time.
describe('make up', { concurrency: 3 }, () => {
  test('up starts all in the background, its curl line works, and down leaves nothing running', async (t) => {
    const { run, data, processes } = await sluice(t);
    const up = await run('up');
    assert.equal(up.code, 0, up.stderr);
    const sent = spawnSync('sh', ['-c', `${curlLine(up.stdout)} -s`], { encoding: 'utf8' });
    assert.match(sent.stdout, /^HTTP\/1\.1 202 [\s\S]*"task_id":"/);
    await waitFor(() => existsSync(join(data, 'digest')), {
      timeoutMs: SOON,
      what: 'the task to be handled',
    });

    const again = await run('up');
    assert.equal(again.code, 0);
    assert.match(again.stdout, /^Sluice runs already/);
    assert.equal(curlLine(again.stdout), curlLine(up.stdout));

    const down = await run('down');
    assert.equal(down.code, 0);
    assert.match(
      down.stdout,
      /^ended: engine, consumers, Redis; what is queued is kept in .*redis \(make clean/,
    );
    assert.deepEqual(processes(), []);
    // `bin` is the Redis that was installed, on a machine that had none: it stays for the next time.
    const left = readdirSync(data).filter((name) => name !== 'bin');
    assert.deepEqual(left.sort(), ['digest', 'logs', 'redis']);
    assert.equal((await run('down')).stdout, 'Sluice does not run\n');
  });

  test('what is queued when all is ended is worked off after the next up', async (t) => {
    const { run, port, data, programs } = await sluice(t);
    assert.equal((await run('up')).code, 0);
    const consumers = programs().find(({ name }) => name === 'consumers')?.pid ?? 0;
    process.kill(consumers, 'SIGSTOP');
    assert.ok(await accepts(port));
    process.kill(consumers, 'SIGKILL');
    assert.equal((await run('down')).code, 0);
    assert.equal(existsSync(join(data, 'digest')), false);
    // Redis has handed the task to a thread of the killed process: the lease is how long that may go on.
    assert.equal((await run('up', { TASK_LEASE: '1' })).code, 0);
    await waitFor(() => existsSync(join(data, 'digest')), {
      timeoutMs: SOON,
      what: 'the task to be handled',
    });
  });

  test('of two that start it at the same time, one does, and both say where it is', async (t) => {
    const { run, processes } = await sluice(t);
    const both = await Promise.all([run('up'), run('up')]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    );
    const [one, other] = both.map(({ stdout }) => stdout);
    assert.equal(curlLine(one ?? ''), curlLine(other ?? ''));
    assert.match(
      `${one}${other}`,
      /Sluice is running[\s\S]*Sluice runs already|Sluice runs already[\s\S]*Sluice is running/,
    );
    assert.match((await run('down')).stdout, /^ended: engine, consumers, Redis/);
    assert.deepEqual(processes(), []);
  });

  test('down ends a launcher that is still starting', async (t) => {
    const one = await sluice(t);
    const up = one.begin('up', { REDIS_SERVER_BIN: await slowRedis(one.data) });
    await untilStarting(one);
    const down = await one.run('down');
    assert.match(down.stdout, /^ended: Redis/);
    assert.equal((await up.finished).code, 1);
    assert.deepEqual(one.processes(), []);
  });

  test('up that is interrupted, even by force, leaves nothing running', async (t) => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGKILL', null],
    ] as const) {
      const one = await sluice(t);
      const up = one.begin('up', { REDIS_SERVER_BIN: await slowRedis(one.data) });
      await untilStarting(one);
      up.child.kill(signal);
      assert.equal((await up.finished).code, code);
      await waitFor(() => one.processes().length === 0, {
        timeoutMs: SOON,
        what: `all to end after ${signal}`,
      });
      assert.equal(existsSync(join(one.data, 'run.json')), false);
    }
  });

  test('after kill -9 of the launcher, engine and consumers end by themselves and down ends Redis', async (t) => {
    const { run, data, processes } = await sluice(t);
    assert.equal((await run('up')).code, 0);
    process.kill(await launcherPid(data), 'SIGKILL');
    await waitFor(() => processes().length === 1, { timeoutMs: SOON, what: 'engine and consumers to end' });
    const down = await run('down');
    assert.match(down.stdout, /^ended what a launcher that was killed had left: .*Redis\n$/);
    assert.deepEqual(processes(), []);
  });

  test('after kill -9 of the launcher, up ends what is left and starts anew', async (t) => {
    const { run, data, processes, port } = await sluice(t);
    assert.equal((await run('up')).code, 0);
    process.kill(await launcherPid(data), 'SIGKILL');
    const up = await run('up'); // at once: the port is still taken by the engine that is ending
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, /ended what a launcher that was killed had left: .*Redis/);
    assert.ok(await accepts(port));
    assert.equal((await run('down')).code, 0);
    assert.deepEqual(processes(), []);
  });

  test('programs that die are started again, and the queue is still there', async (t) => {
    const { run, port, programs, log } = await sluice(t);
    assert.equal((await run('up')).code, 0);
    for (const name of ['Redis', 'engine', 'consumers']) {
      const before = programs().find((program) => program.name === name)?.pid ?? 0;
      process.kill(before, 'SIGKILL');
      await waitFor(() => programs().some((program) => program.name === name && program.pid !== before), {
        timeoutMs: SOON,
        what: `${name} to be started again`,
      });
      await waitFor(() => accepts(port), { timeoutMs: SOON, what: `tasks to be taken after ${name} died` });
      assert.match(
        log('launcher'),
        new RegExp(`^${name} died \\(SIGKILL\\), starting again in 200 ms$`, 'm'),
      );
    }
    assert.match((await run('down')).stdout, /^ended: engine, consumers, Redis/);
  });

  test('a program that keeps dying is given up, with all the others', async (t) => {
    const { run, data, programs, processes, log } = await sluice(t);
    const { program } = await findRedis({ dataDir: SHARED_DATA, environment: process.env });
    const flag = join(data, 'has-run');
    const once = await script(
      join(data, 'redis-once'),
      `[ "$1" = --version ] && exec ${program} --version\n[ -e ${flag} ] && exit 3\ntouch ${flag}\nexec ${program} "$@"`,
    );
    assert.equal((await run('up', { REDIS_SERVER_BIN: once })).code, 0);
    const redis = programs().find(({ name }) => name === 'Redis');
    process.kill(redis?.pid ?? 0, 'SIGKILL');
    await waitFor(() => processes().length === 0, { timeoutMs: 60_000, what: 'the launcher to give up' });
    assert.match(log('launcher'), /^Redis keeps dying \(exit code 3\), given up; see .*redis\.log$/m);
    assert.equal((await run('down')).stdout, 'Sluice does not run\n');
  });

  test('start does the same in the foreground, shows the logs, and Ctrl-C ends it', async (t) => {
    const { begin, run, processes, port } = await sluice(t);
    const start = begin('start');
    await waitFor(() => start.stdout().includes('Sluice is running (Ctrl-C ends it)'), {
      timeoutMs: SOON,
      what: 'all to run',
    });
    assert.ok(await accepts(port));
    const second = await run('start');
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^Sluice runs already[^\n]*\n$/);
    const pids = processes();
    start.child.kill('SIGINT');
    const { code, stdout } = await start.finished;
    assert.equal(code, 0);
    assert.match(stdout, /^ended: engine, consumers, Redis/m);
    assert.match(stdout, /^engine {4}\| {"level":"INFO".*shutting down/m);
    assert.ok(pids.length >= 5, 'launcher, Redis, engine with one process, consumers');
    assert.deepEqual(processes(), []);
  });

  test('logs are kept per program, one older generation of each, and shown with its name', async (t) => {
    const { begin, run, data, log } = await sluice(t);
    for (let round = 0; round < 2; round++) {
      assert.equal((await run('up')).code, 0);
      assert.equal((await run('down')).code, 0);
    }
    const names = ['consumers', 'engine', 'launcher', 'redis'];
    const expected = names.flatMap((name) => [`${name}.log`, `${name}.log.1`]);
    assert.deepEqual(readdirSync(join(data, 'logs')).sort(), expected);
    assert.match(log('engine'), /"message":"engine listening"/);
    const logs = begin('logs');
    await waitFor(() => /^engine {4}\| .*"message":"engine listening"/m.test(logs.stdout()), {
      timeoutMs: SOON,
      what: 'the log of the engine',
    });
    logs.child.kill('SIGINT');
    await logs.finished;
  });

  test('with REDIS_URL it starts no Redis and ends none', async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const { run, programs, port } = await sluice(t);
    const up = await run('up', { REDIS_URL: redis.url });
    assert.equal(up.code, 0, up.stderr);
    assert.ok(await accepts(port));
    assert.deepEqual(
      programs().map(({ name }) => name),
      ['engine', 'consumers'],
    );
    assert.equal((await run('down')).stdout, 'ended: engine, consumers\n');
    process.kill(redis.pid, 0); // throws when it is gone
  });
});
