import { type RingMemory, type RingReader, RingWriter } from './span-ring.js';
import {
  ERROR_TEXT,
  OUTCOMES,
  REASON_TEXT,
  TASK_ID_TEXT,
  TASK_TYPE_TEXT,
  type TaskSpan,
  type TaskSpanEncoder,
} from './task-span.js';
import { microsecondsOf, unhex, viewOf } from './wire-writer.js';

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
const TRACE_ID_AT = TRACEPARENT_AT + 3;
const SPAN_ID_AT = TRACE_ID_AT + 33;
const PARENT_AT = 88;
const PARENT_LENGTH = 16;
const TEXTS_AT = 104;
/** Bytes of each text at most; what is longer is cut off. Together they fill the record. */
const MOST_TEXT = [64, 64, 24, 64] as const;

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
    let end = this.text(at, at + TEXTS_AT, TASK_ID_TEXT, run.taskId);
    end = this.text(at, end, TASK_TYPE_TEXT, run.taskType);
    end = this.text(at, end, REASON_TEXT, run.reason);
    this.text(at, end, ERROR_TEXT, run.error);
    ring.publish();
  }

  /** Writes a text; returns where it ends. */
  private text(at: number, start: number, text: number, value: string): number {
    const { bytes } = this.ring;
    // Of a task that is done two are empty.
    const length = value === '' ? 0 : bytes.write(value, start, MOST_TEXT[text] ?? 0, 'utf8');
    bytes[at + LENGTHS_AT + text] = length;
    return start + length;
  }
}

/** Turns the records of a ring into spans, in the order in which they were written. */
export class TaskSpanReader {
  private readonly span: TaskSpan;
  private readonly digits: DataView;
  private readonly take = (at: number): void => this.one(at);

  constructor(
    private readonly ring: RingReader,
    private readonly encoder: TaskSpanEncoder,
  ) {
    this.digits = viewOf(ring.bytes);
    this.span = {
      traceId: Buffer.alloc(16),
      spanId: Buffer.alloc(8),
      parentId: Buffer.alloc(8),
      hasParent: false,
      start: 0,
      end: 0,
      attempt: 0,
      outcome: 0,
      bytes: ring.bytes,
      textAt: MOST_TEXT.map(() => 0),
      textLength: MOST_TEXT.map(() => 0),
    };
  }

  /** Encodes at most so many records; returns how many spans that made. */
  read(mostRecords: number): number {
    return this.ring.read(mostRecords, this.take);
  }

  private one(at: number): void {
    const { span, digits } = this;
    const { bytes, floats, words } = this.ring;
    unhex(digits, at + TRACE_ID_AT, 16, span.traceId, 0);
    unhex(digits, at + SPAN_ID_AT, 8, span.spanId, 0);
    span.hasParent = bytes[at + PARENT_AT] !== 0;
    if (span.hasParent) unhex(digits, at + PARENT_AT, 8, span.parentId, 0);
    span.start = microsecondsOf(floats[at >> 3] as number); // a record is that long, here and below
    span.end = microsecondsOf(floats[(at >> 3) + 1] as number);
    span.attempt = words[(at >> 2) + ATTEMPT_WORD] as number;
    span.outcome = bytes[at + OUTCOME_AT] as number;
    let text = at + TEXTS_AT;
    for (let i = 0; i < MOST_TEXT.length; i++) {
      const length = bytes[at + LENGTHS_AT + i] as number;
      span.textAt[i] = text;
      span.textLength[i] = length;
      text += length;
    }
    this.encoder.task(span);
  }
}
