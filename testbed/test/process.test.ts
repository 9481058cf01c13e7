import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunningProcess, startProcess, waitFor } from '@sluice/testbed';

/** Runs a program with this source; ended and removed after the test. */
function program(t: TestContext, source: string, env: Record<string, string> = {}): RunningProcess {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-process-'));
  const script = join(folder, 'program.mjs');
  writeFileSync(script, source);
  const running = startProcess(script, env);
  t.after(() => {
    running.signal('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return running;
}

test('ready is the first message that says so, and signals end the process', async (t) => {
  const running = program(
    t,
    `process.send({ type: 'other' });
     process.send({ type: 'ready', port: Number(process.env.PORT), path: process.env.PATH });
     setInterval(() => {}, 1000);`,
    { PORT: '8000' },
  );
  assert.deepEqual(await running.ready, { type: 'ready', port: 8000, path: process.env.PATH });
  process.kill(running.pid, 0);
  running.signal('SIGTERM');
  assert.deepEqual(await running.exited, { code: null, signal: 'SIGTERM' });
  assert.throws(() => process.kill(running.pid, 0), /ESRCH/);
});

test('a program that ends before it is ready says what it printed', async (t) => {
  const running = program(t, `console.log('one'); console.error('PORT is "x"'); process.exitCode = 3;`);
  await assert.rejects(running.ready, /ended before it was ready \(exit code 3\):[\s\S]*PORT is "x"/);
  assert.deepEqual(await running.exited, { code: 3, signal: null });
  assert.match(running.output(), /one\n/);
});

test('of very long output the end is kept', async (t) => {
  const running = program(t, `for (let i = 0; i < 3e5; i++) console.log('line ' + i);`);
  await running.exited;
  assert.ok(running.output().length <= 1024 * 1024);
  assert.match(running.output(), /line 299999\n$/);
});

test('waitFor names what it waited for, and the last error it met', async () => {
  let looks = 0;
  await waitFor(() => ++looks === 3, { timeoutMs: 10_000, what: 'the third look' });
  assert.equal(looks, 3);
  const failing = waitFor(() => Promise.reject(new Error('nobody there')), {
    timeoutMs: 20,
    what: 'an answer',
  });
  await assert.rejects(failing, (error: Error) => {
    assert.equal(error.message, 'waited 20 ms for an answer, in vain: nobody there');
    assert.match(String(error.cause), /nobody there/);
    return true;
  });
});
