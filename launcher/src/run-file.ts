import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { SluiceError } from '@sluice/contract';
import { isProcessOf } from './process-identity.js';

/** A process that the launcher started. */
export interface NotedProcess {
  name: string;
  pid: number;
  /** What its command line contains: by the time somebody looks, the id may be another's. */
  commandLinePart: string;
}

/** The note of what runs, for the case that the launcher is killed and cannot end it. */
export class RunFile {
  private readonly processes = new Map<string, NotedProcess>();

  constructor(private readonly path: string) {}

  /** Notes a process in place of an earlier one of that name. */
  note(process: NotedProcess): void {
    this.processes.set(process.name, process);
    // Renamed into place: whoever reads it finds all of it.
    writeFileSync(`${this.path}.new`, JSON.stringify([...this.processes.values()], undefined, 2));
    renameSync(`${this.path}.new`, this.path);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

const LOOK_EVERY_MS = 50;
/** As long as the programs have to shut down by default, and some. */
const LEAVE_LIMIT_MS = 40_000;
const KILL_LIMIT_MS = 5000;

/**
 * Ends what a launcher that was killed left running, one after the other, by force when it takes too long. Redis,
 * which was started first, comes last: our own programs, which end by themselves when their launcher is gone, need it
 * until then.
 *
 * @returns the names of those that were still there
 * @throws SluiceError when one does not end at all
 */
export async function endLeftOver(path: string): Promise<string[]> {
  const ended: string[] = [];
  for (const left of notedIn(path)) {
    const isThere = () => isProcessOf(left.pid, left.commandLinePart);
    if (!isThere()) continue;
    ended.push(left.name);
    kill(left.pid, 'SIGTERM');
    if (await ends(isThere, LEAVE_LIMIT_MS)) continue;
    kill(left.pid, 'SIGKILL');
    if (await ends(isThere, KILL_LIMIT_MS)) continue;
    throw new SluiceError(
      'INTERNAL_ERROR',
      `a launcher that was killed left ${left.name} running (process ${left.pid}), and it cannot be ended`,
    );
  }
  rmSync(path, { force: true });
  return ended;
}

/** Last started first. */
function notedIn(path: string): NotedProcess[] {
  if (!existsSync(path)) return [];
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as NotedProcess[]).reverse(); // written by RunFile
  } catch {
    return []; // the disk was full, or somebody edited it
  }
}

async function ends(isThere: () => boolean, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isThere()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return true;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile, or is another user's: whoever waits for its end finds out.
  }
}
