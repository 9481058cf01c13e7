import { appendFileSync } from 'node:fs';

/** What a test task asks its handler to do, and where the handler writes down that it ran. */
export interface Script {
  /** File that every run is written to. */
  journal: string;
  do?:
    | 'return'
    | 'throw'
    | 'throw-unrecoverable'
    | 'throw-retry-after'
    | 'throw-odd'
    /** Fails, or hangs, as long as a file beside the journal says so. */
    | 'call-downstream'
    | 'throw-null'
    | 'throw-string'
    | 'throw-bigint'
    | 'throw-circular'
    | 'wait-for-abort'
    | 'never-settle'
    | 'block'
    | 'exit'
    | 'kill-process'
    | 'spin'
    | 'exhaust-heap'
    | 'reject-unhandled';
  /** Milliseconds: how long it takes until it returns or throws, or what RetryAfter asks for. */
  ms?: number;
  /** Before anything else, waits until its attempt has been let go. */
  held?: true;
  /** Milliseconds that later attempts take. @default as `ms` */
  againMs?: number;
  /** Fails on attempts up to this one, and then returns; on all when it is left out. */
  until?: number;
}

/** The file that stands for a service on which tasks depend: while it is there, the service is `down` or `hanging`. */
export function outageOf(journal: string): string {
  return `${journal}.outage`;
}

/** The file that says up to which attempt tasks that are held have been let go. */
export function letGoOf(journal: string): string {
  return `${journal}.let-go`;
}

/** One line of a journal. */
export interface JournalLine {
  event: 'start' | 'end' | 'aborted';
  id: string;
  attempt: number;
  pid: number;
  at: number;
  /** Name of what a signal was aborted with. */
  reason?: string;
}

/** Appends a line; one write call, so that lines of several processes do not mix. */
export function note(
  event: JournalLine['event'],
  task: { id: string; attempt: number },
  journal: string,
  reason?: string,
): void {
  const { id, attempt } = task;
  const line: JournalLine = {
    event,
    id,
    attempt,
    pid: process.pid,
    at: Date.now(),
    ...(reason && { reason }),
  };
  appendFileSync(journal, `${JSON.stringify(line)}\n`);
}
