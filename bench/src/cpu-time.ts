import { readdirSync, readFileSync } from 'node:fs';

/** CPU time, user and system, in seconds. */
export interface CpuSeconds {
  /** All processes of the server. */
  server: number;
  redis?: number;
}

/** Unit of the times in /proc/<pid>/stat; Linux has shown this one on every architecture for twenty years. */
const TICKS_PER_SECOND = 100;

/** What /proc/<pid>/stat tells of a process. */
export interface ProcessTimes {
  parent: number;
  cpuSeconds: number;
}

/**
 * CPU time of a process and all its descendants; undefined where there is no /proc. It depends less on what else
 * the machine does than tasks/s do.
 */
export function cpuSecondsOfTree(root: number): number | undefined {
  const tree = processTree(root);
  if (tree === undefined) return undefined;
  let sum = 0;
  for (const { cpuSeconds } of tree.values()) sum += cpuSeconds;
  return sum;
}

/** A process and all its descendants by process id; undefined where there is no /proc, or no such process. */
export function processTree(root: number): Map<number, ProcessTimes> | undefined {
  const times = new Map<number, ProcessTimes>();
  try {
    for (const name of readdirSync('/proc')) {
      const found = /^\d+$/.test(name) ? timesOf(name) : undefined;
      if (found !== undefined) times.set(Number(name), found);
    }
  } catch {
    return undefined;
  }
  if (!times.has(root)) return undefined;
  return new Map([...times].filter(([pid]) => descendsFrom(root, pid, times)));
}

/**
 * Reads one line of /proc/<pid>/stat. The name of the program stands in parentheses and may contain anything, so
 * fields are counted from its last one.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export function parseStat(line: string): ProcessTimes | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
  if (parent === undefined || user === undefined || system === undefined || Number.isNaN(user + system)) {
    return undefined;
  }
  return { parent, cpuSeconds: (user + system) / TICKS_PER_SECOND };
}

function timesOf(pid: string): ProcessTimes | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined; // it has ended meanwhile
  }
}

function descendsFrom(root: number, pid: number, times: ReadonlyMap<number, ProcessTimes>): boolean {
  for (let at = pid, parent = 0; at !== 0; at = parent) {
    if (at === root) return true;
    parent = times.get(at)?.parent ?? 0;
  }
  return false;
}
