import { type RingMemory, RingReader, RingWriter } from './span-ring.js';

/**
 * What a worker thread writes down of the tasks it ran, as records of one size:
 *
 * ```
 *  0 start   8 end   16 attempt   20 outcome   21 lengths of the texts (4)
 *  32 traceparent of the span (55)   88 span id of the parent (16, or a zero)   104 texts: task id, type, reason, error
 * ```
 */
export const TASK_RECORD_BYTES = 320;

const ATTEMPT_WORD = 4;
const OUTCOME_AT = 20;
const LENGTHS_AT = 21;
const TRACEPARENT_AT = 32;
const TRACEPARENT_LENGTH = 55;
const PARENT_AT = 88;
const PARENT_LENGTH = 16;
const TEXTS_AT = 104;
/** Bytes of each text at most; what is longer is cut off. Together they fill the record. */
const MOST_TEXT = [64, 64, 24, 64] as const;

const OUTCOMES = ['done', 'retry', 'dead'] as const;

/** A run of a task, as its span says it. */
export interface TaskRun {
  /** Of `SpanClock`. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Its own span. */
  readonly traceparent: string;
  /** Span id of what it belongs to; the empty string: nothing. */
  readonly parentId: string;
  readonly taskId: string;
  readonly taskType: string;
  readonly attempt: number;
  readonly outcome: (typeof OUTCOMES)[number];
  /** Why it is dead; the empty string when it is not. */
  readonly reason: string;
  /** Name of the error that ended it; the empty string when none did. */
  readonly error: string;
}

/** Writes runs into a ring. */
export class TaskRecorder {
  private readonly ring: RingWriter;

  constructor(memory: RingMemory) {
    this.ring = new RingWriter(memory);
  }

  write(run: TaskRun): void {
    const { ring } = this;
    const at = ring.claim();
    if (at < 0) return;
    const { bytes, floats, words } = ring;
    floats[at >> 3] = run.startedAt;
    floats[(at >> 3) + 1] = run.endedAt;
    words[(at >> 2) + ATTEMPT_WORD] = run.attempt;
    bytes[at + OUTCOME_AT] = OUTCOMES.indexOf(run.outcome);
    bytes.write(run.traceparent, at + TRACEPARENT_AT, TRACEPARENT_LENGTH, 'latin1');
    bytes[at + PARENT_AT] = 0;
    bytes.write(run.parentId, at + PARENT_AT, PARENT_LENGTH, 'latin1');
    let text = at + TEXTS_AT;
    for (const [i, value] of [run.taskId, run.taskType, run.reason, run.error].entries()) {
      const length = bytes.write(value, text, MOST_TEXT[i] ?? 0, 'utf8');
      bytes[at + LENGTHS_AT + i] = length;
      text += length;
    }
    ring.publish();
  }
}

/** Reads runs out of a ring. */
export class TaskRecordReader {
  private readonly ring: RingReader;

  constructor(memory: RingMemory) {
    this.ring = new RingReader(memory);
  }

  get waiting(): number {
    return this.ring.waiting;
  }

  /** Reads at most so many; returns how many there were. */
  read(most: number, each: (run: TaskRun) => void): number {
    return this.ring.read(most, (at) => each(this.one(at)));
  }

  private one(at: number): TaskRun {
    const { bytes, floats, words } = this.ring;
    const texts: string[] = [];
    let text = at + TEXTS_AT;
    for (let i = 0; i < MOST_TEXT.length; i++) {
      const end = text + (bytes[at + LENGTHS_AT + i] ?? 0);
      texts.push(bytes.toString('utf8', text, end));
      text = end;
    }
    const [taskId = '', taskType = '', reason = '', error = ''] = texts;
    const parent = at + PARENT_AT;
    return {
      startedAt: floats[at >> 3] ?? 0,
      endedAt: floats[(at >> 3) + 1] ?? 0,
      traceparent: bytes.toString('latin1', at + TRACEPARENT_AT, at + TRACEPARENT_AT + TRACEPARENT_LENGTH),
      parentId: bytes[parent] === 0 ? '' : bytes.toString('latin1', parent, parent + PARENT_LENGTH),
      attempt: words[(at >> 2) + ATTEMPT_WORD] ?? 0,
      outcome: OUTCOMES[bytes[at + OUTCOME_AT] ?? 0] ?? 'done',
      taskId,
      taskType,
      reason,
      error,
    };
  }
}
