import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, freePort, startLoad, startRedis, waitFor } from '@sluice/testbed';
import { childrenOf, ENGINE_PROGRAM, redisForFile, runProgram } from './fixture.js';

const redis = redisForFile();
const accepted = (answer: Answer): boolean => answer.status === 202;

// Most of the time each waits, for what is suspended meanwhile.
describe('signals', { concurrency: 2 }, () => {
  for (const [appendTimeout, shutdownTimeout, exitCode] of [
    ['0.5', '20', 0],
    ['30', '2', 1],
  ] as const) {
    test(`SIGTERM while Redis hangs, with APPEND_TIMEOUT=${appendTimeout}: ends within the limit, exit code ${exitCode}`, async (t) => {
      const server = await startRedis();
      t.after(() => server.stop());
      const program = await runProgram(t, server.url, {
        SHUTDOWN_TIMEOUT: shutdownTimeout,
        APPEND_TIMEOUT: appendTimeout,
      });
      const load = startLoad({ url: program.url, connections: 8 });
      await load.until(accepted, 50);
      server.pause();
      program.signal('SIGTERM');
      const { code } = await program.exited;
      await load.stop();
      assert.equal(code, exitCode);
      const [, tookMs] = /"duration_ms":(\d+)/.exec(program.output()) ?? [];
      // Nothing else limits it: otherwise it would hang as long as Redis does.
      assert.ok(Number(tookMs) < 1000 * (Number(shutdownTimeout) + 8), `it took ${tookMs} ms`);
    });
  }

  test('Ctrl-C during the start reaches all processes, and the exit code is 0', async (t) => {
    const program = spawn(process.execPath, [ENGINE_PROGRAM], {
      detached: true, // a process group of its own, as in a terminal
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        REDIS_URL: redis.server.url,
        SERVICE_HOST: '127.0.0.1',
        SERVICE_PORT: String(await freePort()),
        METRICS_PORT: String(await freePort()),
        WORKER_PROCESSES: '2',
      },
    });
    const pid = program.pid ?? 0;
    t.after(() => program.kill('SIGKILL'));
    let output = '';
    program.stdout.on('data', (chunk) => {
      output += chunk;
    });
    program.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const exited = once(program, 'close');
    await waitFor(() => childrenOf(pid).length === 2, { timeoutMs: 60_000, what: 'the processes to start' });
    process.kill(-pid, 'SIGINT');
    assert.deepEqual(await exited, [0, null]);
    assert.match(output, /shutting down/);
    assert.doesNotMatch(output, /ended at its start|died/);
  });

  test('engine processes are not taken for hung after the program was suspended', async (t) => {
    const program = await runProgram(t, redis.server.url);
    const before = childrenOf(program.pid);
    for (const pid of [program.pid, ...before]) process.kill(pid, 'SIGSTOP');
    await delay(10_500); // a process that has not reported for 10 s hangs
    for (const pid of [program.pid, ...before]) process.kill(pid, 'SIGCONT');
    for (let n = 0; n < 20; n++) assert.equal((await fetch(`${program.url}/livez`)).status, 200);
    program.signal('SIGTERM');
    assert.equal((await program.exited).code, 0);
    assert.doesNotMatch(program.output(), /engine process died/);
  });

  test('a process that stood still longer than APPEND_TIMEOUT does not take Redis for silent', async (t) => {
    const program = await runProgram(t, redis.server.url, { WORKER_PROCESSES: '1', APPEND_TIMEOUT: '2' });
    const [engine] = childrenOf(program.pid) as [number];
    const load = startLoad({ url: program.url, connections: 32 });
    // Redis itself has to run within the timeout, also on a busy machine: it cannot be much shorter.
    for (let round = 0; round < 3; round++) {
      const from = performance.now();
      await load.until((answer) => accepted(answer) && answer.at > from, 100);
      process.kill(engine, 'SIGSTOP');
      await delay(2500);
      process.kill(engine, 'SIGCONT');
    }
    const answers = await load.stop();
    assert.deepEqual(
      answers.filter((answer) => !accepted(answer)),
      [],
    );
  });
});
