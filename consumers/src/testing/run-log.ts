import type { Task } from '../handlers/handler.js';
import type { Evidence } from '../settling/outcome.js';

/** How a run ended. */
export type RunEnd =
  /** The handler resolved. */
  | 'resolved'
  /** The handler threw. */
  | 'failed'
  /** The handler did not settle in time. */
  | 'timed-out'
  /** Its thread or process died while it ran. */
  | 'crashed';

/** One run of a task. */
export interface TestRun {
  readonly taskId: string;
  readonly taskType: string;
  readonly attempt: number;
  /** Name of the thread that ran it, in the group. */
  readonly consumer: string;
  /** In virtual milliseconds since 1970. */
  readonly startedAt: number;
  endedAt: number | undefined;
  /** Nothing while it runs. */
  end: RunEnd | undefined;
  /** What was thrown, as the dead letter would show it. */
  error: Evidence | undefined;
  /** The signal, once the handler has asked for it. */
  signal: AbortSignal | undefined;
  /** Its outcome came too late, after the task had been taken over: it did not count. */
  fenced: boolean;
}

/** Writes down every run of a group, in the order in which they began. */
export class RunLog {
  readonly runs: TestRun[] = [];
  readonly #most: number;
  readonly #byEntry = new Map<string, TestRun[]>();

  /** @param most runs that it keeps; whoever makes more is most likely endless */
  constructor(most: number) {
    this.#most = most;
  }

  get full(): boolean {
    return this.runs.length >= this.#most;
  }

  begin(stream: string, entryId: string, task: Task, consumer: string, now: number): TestRun {
    const run: TestRun = {
      taskId: task.id,
      taskType: task.type,
      attempt: task.attempt,
      consumer,
      startedAt: now,
      endedAt: undefined,
      end: undefined,
      error: undefined,
      signal: undefined,
      fenced: false,
    };
    this.runs.push(run);
    const key = keyOf(stream, entryId);
    const others = this.#byEntry.get(key);
    if (others === undefined) this.#byEntry.set(key, [run]);
    else others.push(run);
    return run;
  }

  /** The runs of one entry. */
  of(stream: string, entryId: string): readonly TestRun[] {
    return this.#byEntry.get(keyOf(stream, entryId)) ?? [];
  }
}

function keyOf(stream: string, entryId: string): string {
  return `${stream} ${entryId}`;
}
