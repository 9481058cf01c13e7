import { closeSync, openSync, readSync } from 'node:fs';
import { type JournalLine, parseLine } from './journal-line.js';

const CHUNK = 1024 * 1024;

/** One run of a task. */
export interface Run {
  readonly n: number;
  readonly attempt: number;
  readonly pid: number;
  /** On the clock of `monotonicMs`. */
  readonly startedAt: number;
  /** What the process took the time of day for when it started. */
  readonly wallClock: number;
  endedAt: number | undefined;
}

/** What the handlers have written down, by task id. Reads on from where it was each time it is asked. */
export class Journal {
  readonly path: string;
  readonly runs = new Map<string, Run[]>();
  starts = 0;
  /** Tasks that ended at least once. */
  readonly ended = new Set<string>();
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  #rest = '';

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'a+');
  }

  /** Takes in what is new. */
  read(): this {
    for (;;) {
      // Without a position: the kernel keeps it, as the descriptor is only read from.
      const length = readSync(this.#fd, this.#buffer, 0, CHUNK, null);
      if (length === 0) return this;
      const lines = (this.#rest + this.#buffer.toString('latin1', 0, length)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(parseLine(line));
    }
  }

  runsOf(taskId: string): readonly Run[] {
    return this.runs.get(taskId) ?? [];
  }

  close(): void {
    closeSync(this.#fd);
  }

  #take({ n, taskId, attempt, event, pid, at, wallClock }: JournalLine): void {
    let runs = this.runs.get(taskId);
    if (runs === undefined) {
      runs = [];
      this.runs.set(taskId, runs);
    }
    if (event === 'start') {
      this.starts += 1;
      runs.push({ n, attempt, pid, startedAt: at, wallClock, endedAt: undefined });
      return;
    }
    this.ended.add(taskId);
    const run = runs.find((one) => one.pid === pid && one.attempt === attempt && one.endedAt === undefined);
    if (run !== undefined) run.endedAt = at;
  }
}
