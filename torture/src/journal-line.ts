import { monotonicMs } from './monotonic.js';

export type RunEvent = 'start' | 'end';

/** One line of a journal. */
export interface JournalLine {
  n: number;
  taskId: string;
  attempt: number;
  event: RunEvent;
  pid: number;
  /** On the clock of `monotonicMs`. */
  at: number;
  /** What the process takes the time of day for. */
  wallClock: number;
}

/** The line, with its end, that says what this process has just done. */
export function lineOf(n: number, task: { id: string; attempt: number }, event: RunEvent): string {
  return `${n} ${task.id} ${task.attempt} ${event} ${process.pid} ${monotonicMs().toFixed(1)} ${Date.now()}\n`;
}

export function parseLine(line: string): JournalLine {
  const [n, taskId = '', attempt, event, pid, at, wallClock] = line.split(' ');
  return {
    n: Number(n),
    taskId,
    attempt: Number(attempt),
    event: event as RunEvent, // as lineOf writes it
    pid: Number(pid),
    at: Number(at),
    wallClock: Number(wallClock),
  };
}
