import { readdirSync, readFileSync } from 'node:fs';
import { monotonicMs } from './monotonic.js';

/** What a process used at one moment. */
export interface Sample {
  /** On the clock of `monotonicMs`. */
  at: number;
  residentMiB: number;
  descriptors: number;
}

/** What the kernel says of a process; nothing when it has ended, or where there is no /proc. */
export function sampleOf(pid: number): Sample | undefined {
  try {
    // A process that has ended and was not waited for yet has no memory.
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    if (resident === undefined) return undefined;
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return { at: monotonicMs(), residentMiB: Number(resident) / 1024, descriptors };
  } catch {
    return undefined;
  }
}

/** Whether a process of ours lives. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The processes that a process has started, the oldest first. */
export function childrenOf(pid: number): number[] {
  const children: { pid: number; startedAt: number }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // After the name, which may hold anything: state, parent and, as the 20th, when it was started.
      const facts = readFileSync(`/proc/${name}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
      if (Number(facts[1]) === pid) children.push({ pid: Number(name), startedAt: Number(facts[19]) });
    } catch {
      // gone meanwhile
    }
  }
  return children.sort((a, b) => a.startedAt - b.startedAt).map((child) => child.pid);
}
