import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@sluice/testbed';
import { processTree } from '#bench/cpu-time.js';

const PROGRAM = fileURLToPath(import.meta.resolve('#bench/main.js'));
const PROFILER = fileURLToPath(import.meta.resolve('#bench/profile/main.js'));
const SHORT = ['--rounds', '1', '--seconds', '1', '--warm-up', '1', '--connections', '8'];

/** The bench or another program of its package, killed when the test ends. */
function run(t: TestContext, args: readonly string[], program = PROGRAM) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, exited, output: () => output, errors: () => errors };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('answers both questions of the intake, in a table and in a file', async (t) => {
  const bench = run(t, [...SHORT, '--rate', '500', 'saturation', 'constant-rate']);
  assert.equal(await bench.exited, 0, bench.errors());
  assert.match(bench.output(), /^ {2}engine, ack=appended +[\d,]+ \([\d,]+–[\d,]+\) /m);
  assert.match(
    bench.output(),
    /P-1: tasks\/s at 8 connections, ack=appended: [\d.]+ of bare \(asked for: at least 0.5/,
  );
  assert.match(bench.output(), /^500 tasks\/s, ms from when a task was due/m);
  const path = /^All figures: (.*)$/m.exec(bench.output())?.[1] ?? '';
  t.after(() => rmSync(path));
  const results = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual(
    results.scenarios.map(({ name, turns }: { name: string; turns: unknown[] }) => [name, turns.length]),
    [
      ['saturation', 3],
      ['constant-rate', 3],
    ],
  );
  assert.equal(results.node, process.version);
  const [, appended] = results.scenarios[1].turns;
  assert.equal(appended.accepted, 1000);
  assert.match(appended.redisVersion, /^\d+\.\d+/);
});

test('runs without wrk', async (t) => {
  const bench = run(t, [...SHORT, '--generator', 'autocannon', 'saturation']);
  assert.equal(await bench.exited, 0, bench.errors());
  assert.match(bench.output(), /autocannon 9\.0\.0/);
  rmSync(/^All figures: (.*)$/m.exec(bench.output())?.[1] ?? '');
});

test('ends all it has started when it is interrupted', async (t) => {
  const bench = run(t, [...SHORT, '--seconds', '3', 'saturation']);
  await waitFor(() => bench.errors().includes('bare:'), {
    timeoutMs: 20_000,
    what: 'the turn of the bare server',
  });
  let started: number[] = [];
  const engineTurn = { timeoutMs: 20_000, what: 'Redis, both engine processes and the generator' };
  if (process.platform === 'linux') {
    await waitFor(() => {
      started = [...(processTree(bench.child.pid ?? 0)?.keys() ?? [])].filter(
        (pid) => pid !== bench.child.pid,
      );
      return started.length >= 4;
    }, engineTurn);
  }
  bench.child.kill('SIGINT');
  assert.equal(await bench.exited, 130, bench.errors());
  await waitFor(() => !started.some(isAlive), { timeoutMs: 20_000, what: `${started} to end` });
  assert.doesNotMatch(bench.errors(), /no figures|Error/);
});

test('a wrong option ends it with one line that says what is allowed', async (t) => {
  const bench = run(t, ['--rounds', 'many']);
  assert.equal(await bench.exited, 1);
  assert.equal(bench.errors(), '--rounds is "many"; allowed: a whole number from 1 to 100\n');
  assert.equal(bench.output(), '');
});

test('the profile says which functions of the engine took most time, and is kept', async (t) => {
  const profile = run(t, [...SHORT, '--generator', 'autocannon'], PROFILER);
  assert.equal(await profile.exited, 0, profile.errors());
  assert.match(profile.output(), /^engine process, busy for [\d.]+ s/m);
  assert.match(profile.output(), /^ {2}\w+ {2}engine\/dist\/[\w/-]+\.js:\d+ +[\d.]+ +[\d.]+$/m);
  const path = /^Profile: (.*)$/m.exec(profile.output())?.[1] ?? '';
  const { nodes, samples } = JSON.parse(readFileSync(path, 'utf8'));
  assert.ok(nodes.length > 0 && samples.length > 0);
  rmSync(path);
});

test('every task of a batch is counted, and has its entry', async (t) => {
  const bench = run(t, [...SHORT, 'batch']);
  assert.equal(await bench.exited, 0, bench.errors());
  assert.match(bench.output(), /P-7: tasks\/s in batches of 100: [\d.]+ \(asked for: at least 400000\)/);
  const path = /^All figures: (.*)$/m.exec(bench.output())?.[1] ?? '';
  t.after(() => rmSync(path));
  const { turns } = JSON.parse(readFileSync(path, 'utf8')).scenarios[0];
  const { accepted } = turns.find(({ peer }: { peer: string }) => peer === 'engine, batches of 100');
  assert.ok(accepted > 0 && accepted % 100 === 0, `${accepted} tasks`);
});

test('each step from the bare server to the engine has its row, and what is stored is counted', async (t) => {
  const bench = run(t, [...SHORT, 'wall']);
  assert.equal(await bench.exited, 0, bench.errors());
  const rows = [...bench.output().matchAll(/^ {2}(bare|and [a-z ,]+?|engine, ack=appended) {2,}/gm)];
  assert.deepEqual(
    rows.map(([, name]) => name),
    [
      'bare',
      'and reads all header lines',
      'and answers in a later turn',
      'and stores it, unseen, first',
      'engine, ack=appended',
    ],
  );
  rmSync(/^All figures: (.*)$/m.exec(bench.output())?.[1] ?? '');
});

test('every span of a short load is due and comes, by both protocols', async (t) => {
  const bench = run(t, ['--seconds', '1', '--warm-up', '1', '--rate', '100', 'spans']);
  assert.equal(await bench.exited, 0, bench.errors());
  for (const protocol of ['otlp', 'jaeger']) {
    assert.match(
      bench.output(),
      new RegExp(`^  ${protocol} +200 of 200 +(\\d+) of \\1 +200 of 200 +0 `, 'm'),
    );
  }
  rmSync(/^All figures: (.*)$/m.exec(bench.output())?.[1] ?? '');
});
