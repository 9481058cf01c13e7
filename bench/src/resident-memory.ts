import { readFileSync } from 'node:fs';
import { processTree } from './cpu-time.js';

const SAMPLE_EVERY_MS = 1000;
const KIB_OF_MIB = 1024;

/** Resident memory of one process while a load ran, in MiB. */
export interface ResidentMemory {
  pid: number;
  /** The one it began with, or one that this has started. */
  role: 'primary' | 'process';
  most: number;
  /** From the lowest of the second quarter of the time to the lowest of the last: what is left of noise by then is growth. */
  growth: number;
}

/** Looks at the memory of a process and all it has started while work goes on; finds nothing where there is no /proc. */
export async function withResidentMemory<Result>(
  root: number,
  work: () => Promise<Result>,
): Promise<{ result: Result; memory: ResidentMemory[] }> {
  const samples = new Map<number, number[]>();
  const timer = setInterval(() => {
    for (const pid of processTree(root)?.keys() ?? []) {
      const resident = residentOf(pid);
      if (resident !== undefined) samples.set(pid, [...(samples.get(pid) ?? []), resident]);
    }
  }, SAMPLE_EVERY_MS);
  try {
    const result = await work();
    const memory = [...samples].map(([pid, all]) => memoryOf(pid, pid === root ? 'primary' : 'process', all));
    return { result, memory };
  } finally {
    clearInterval(timer);
  }
}

export function memoryOf(
  pid: number,
  role: ResidentMemory['role'],
  samples: readonly number[],
): ResidentMemory {
  const quarter = Math.floor(samples.length / 4);
  const second = Math.min(...samples.slice(quarter, 2 * quarter));
  const last = Math.min(...samples.slice(3 * quarter));
  return { pid, role, most: Math.max(...samples), growth: last - second };
}

/** The line VmRSS of /proc/<pid>/status, in MiB. */
function residentOf(pid: number): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / KIB_OF_MIB;
  } catch {
    return undefined; // it has ended
  }
}
