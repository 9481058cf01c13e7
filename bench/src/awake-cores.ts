import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { BenchFault } from './bench-fault.js';

/** Spins until the process with the id $1 is gone: a builtin of the shell, every so often, so that no orphan stays. */
const SPIN = 'while kill -0 "$1" 2>/dev/null; do i=0; while [ "$i" -lt 20000 ]; do i=$((i + 1)); done; done';

/**
 * Keeps every core from going to sleep while `work` goes on: on each something spins that gives way to whatever else
 * wants to run (SCHED_IDLE). A virtual machine has to ask its host to be woken, which can take milliseconds; three
 * programs that wait for each other pay that at every step, and a server that waits for nobody does not.
 *
 * @throws BenchFault without `chrt` and `taskset` (util-linux)
 * @see https://man7.org/linux/man-pages/man7/sched.7.html
 */
export async function withCoresAwake<Result>(work: () => Promise<Result>): Promise<Result> {
  const spinners = Array.from({ length: availableParallelism() }, (_, core) => spin(core));
  try {
    await Promise.all(spinners.map((spinner) => once(spinner, 'spawn')));
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new BenchFault('--awake needs chrt and taskset (Linux, package util-linux)');
  } finally {
    for (const spinner of spinners) spinner.kill('SIGKILL');
  }
}

function spin(core: number): ChildProcess {
  const words = [
    '--cpu-list',
    String(core),
    'chrt',
    '--idle',
    '0',
    'sh',
    '-c',
    SPIN,
    'sh',
    String(process.pid),
  ];
  const spinner = spawn('taskset', words, { stdio: 'ignore' });
  spinner.on('error', () => {}); // who waits for its start is told
  return spinner;
}
