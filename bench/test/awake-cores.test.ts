import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { withCoresAwake } from '#bench/awake-cores.js';
import { processTree } from '#bench/cpu-time.js';

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html field 41 */
const SCHED_IDLE = '5';
const POLICY_AFTER_NAME = 38;
const LINUX = { skip: process.platform !== 'linux' && 'chrt and taskset are of Linux' };
const SOON = { timeoutMs: 20_000, what: 'what spins to be there, or gone' };

/** The processes below one that give way to every other, when there is one for each core. */
async function allSpinnersOf(root: number): Promise<number[]> {
  const spinners = () => [...(processTree(root)?.keys() ?? [])].filter(isIdle);
  await waitFor(() => spinners().length === availableParallelism(), SOON);
  return spinners();
}

function isIdle(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[POLICY_AFTER_NAME] === SCHED_IDLE;
  } catch {
    return false; // it has ended
  }
}

test(
  'something spins on each core while the work goes on, gives way to all else, and ends with it',
  LINUX,
  async () => {
    let spinners: number[] = [];
    const result = await withCoresAwake(async () => {
      spinners = await allSpinnersOf(process.pid);
      return 'done';
    });
    assert.equal(result, 'done');
    await waitFor(() => !spinners.some(isIdle), SOON);
  },
);

test('nothing goes on spinning when the bench is killed', LINUX, async (t) => {
  const module = import.meta.resolve('#bench/awake-cores.js');
  const program = `const { withCoresAwake } = await import('${module}'); await withCoresAwake(() => new Promise((r) => setTimeout(r, 60_000)));`;
  const bench = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
  t.after(() => bench.kill('SIGKILL'));
  const spinners = await allSpinnersOf(bench.pid ?? 0);
  bench.kill('SIGKILL');
  await once(bench, 'exit');
  await waitFor(() => !spinners.some(isIdle), SOON);
});
