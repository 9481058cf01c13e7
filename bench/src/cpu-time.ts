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
  /** Of its children that have ended. */
  endedChildrenCpuSeconds: number;
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
  const [parent = Number.NaN, ...ticks] = [1, 11, 12, 13, 14].map((field) => Number(fields[field]));
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = ticks;
  if (Number.isNaN(parent + user + system + childrenUser + childrenSystem)) return undefined;
  return {
    parent,
    cpuSeconds: (user + system) / TICKS_PER_SECOND,
    endedChildrenCpuSeconds: (childrenUser + childrenSystem) / TICKS_PER_SECOND,
  };
}

/**
 * CPU time of this machine that went to programs which this process has not started, since it was last asked, in
 * cores: 1 means that they kept a core busy. Undefined where there is no /proc, and the first time.
 */
export class OtherPrograms {
  private before: { at: number; machine: number; own: number } | undefined;

  cores(): number | undefined {
    const { before } = this;
    const machine = busySecondsOfMachine();
    const own = ownSeconds();
    if (machine === undefined || own === undefined) return undefined;
    const at = performance.now();
    this.before = { at, machine, own };
    if (before === undefined) return undefined;
    const others = machine - before.machine - (own - before.own);
    return Math.max(0, others / ((at - before.at) / 1000));
  }
}

/** Of this process, all it has started, and all it had started that has ended. */
function ownSeconds(): number | undefined {
  const tree = cpuSecondsOfTree(process.pid);
  const own = timesOf(String(process.pid));
  return tree === undefined || own === undefined ? undefined : tree + own.endedChildrenCpuSeconds;
}

function busySecondsOfMachine(): number | undefined {
  try {
    return parseMachineStat(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Busy time of all cores in /proc/stat: user, nice, system, interrupts and what the hypervisor gave to others; all
 * but idle and waiting for disks.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_stat.5.html
 */
export function parseMachineStat(text: string): number | undefined {
  const [name, ...fields] = text.split('\n', 1).join('').trim().split(/ +/);
  const [user = Number.NaN, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = fields.map(Number);
  const ticks = user + nice + system + irq + softIrq + steal;
  return name !== 'cpu' || Number.isNaN(ticks) ? undefined : ticks / TICKS_PER_SECOND;
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
