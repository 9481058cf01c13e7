import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { FIRST_NUMBER } from '../load/body.js';
import { monotonicMs } from '../monotonic.js';

/** What the handlers of a consumer have seen. */
export interface RunReport {
  /** How often a handler was run. */
  runs: number;
  /** When the first run of each numbered task began, by monotonicMs; 0 when it never did. */
  startedAt: readonly number[];
}

const KEY = 'sluice-bench: runs of handlers';
const HEAD_BYTES = 8;

/** Counts the runs of handlers in shared memory, so that threads need no message to tell them. */
export class RunTally {
  private readonly runs: Int32Array;
  private readonly startedAt: Float64Array;

  private constructor(buffer: SharedArrayBuffer) {
    this.runs = new Int32Array(buffer, 0, 1);
    this.startedAt = new Float64Array(buffer, HEAD_BYTES);
  }

  /**
   * Creates the tally of a process; every thread it starts from now on can find it.
   *
   * @param numbered tasks of which the start is noted; with 0 runs are counted and nothing else
   */
  static create(numbered: number): RunTally {
    const buffer = new SharedArrayBuffer(HEAD_BYTES + numbered * Float64Array.BYTES_PER_ELEMENT);
    setEnvironmentData(KEY, buffer);
    return new RunTally(buffer);
  }

  /** The tally of the process this thread belongs to. */
  static ofProcess(): RunTally {
    const buffer = getEnvironmentData(KEY);
    if (!(buffer instanceof SharedArrayBuffer)) throw new Error('no tally was created before this thread');
    return new RunTally(buffer);
  }

  /** What the handlers of the bench do, all of it. */
  run(data: unknown): void {
    if (this.startedAt.length > 0) this.noteStart(data);
    Atomics.add(this.runs, 0, 1);
  }

  /** Answers what ConsumerProcess asks. */
  answerQuestions(): void {
    process.on('message', (message: { type?: string }) => {
      if (message.type !== 'runs') return;
      const report: RunReport = {
        runs: Atomics.load(this.runs, 0),
        startedAt: [...this.startedAt],
      };
      process.send?.({ type: 'runs', ...report });
    });
  }

  private noteStart(data: unknown): void {
    const now = monotonicMs();
    const { n } = data as { n?: number }; // numberedBody of body.ts
    if (n === undefined) throw new Error('a task has no number');
    const at = n - FIRST_NUMBER;
    if (this.startedAt[at] === 0) this.startedAt[at] = now;
  }
}
