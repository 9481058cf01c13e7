import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

/**
 * Gives the load generator a core of its own while `work` goes on, and everything else that this process starts
 * meanwhile the others: where a single task's way is measured to a tenth of a millisecond, a generator that looks at
 * the clock all the time must not be in its way. `work` is told the generator's core; undefined where that cannot be
 * done (one core, no `taskset`, not all cores at hand).
 */
export async function withGeneratorCore<Result>(
  work: (core: number | undefined) => Promise<Result>,
): Promise<Result> {
  const last = cpus().length - 1;
  const isDone = last > 0 && availableParallelism() === last + 1 && confineTo(`0-${last - 1}`);
  try {
    return await work(isDone ? last : undefined);
  } finally {
    if (isDone) confineTo(`0-${last}`);
  }
}

/** Options for `fork` that start a program on this core alone. */
export function forkOn(core: number | undefined): { execPath?: string; execArgv?: string[] } {
  if (core === undefined) return {};
  return { execPath: 'taskset', execArgv: ['--cpu-list', String(core), process.execPath] };
}

function confineTo(cores: string): boolean {
  try {
    execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', cores, String(process.pid)], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false; // not Linux, or no util-linux
  }
}
