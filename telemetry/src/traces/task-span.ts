import type { WriteIds } from './request-span.js';

/** What a `task_processing_span` says. The object is used again for the next one. */
export interface TaskSpan extends WriteIds {
  readonly parentId: Buffer;
  hasParent: boolean;
  /** Unix microseconds. */
  start: number;
  end: number;
  attempt: number;
  /** Its number in {@link OUTCOMES}. */
  outcome: number;
  /** Where its texts stand in `bytes`: task id, type, why it is dead, name of the error. The last two may be empty. */
  readonly bytes: Buffer;
  readonly textAt: number[];
  readonly textLength: number[];
}

export const OUTCOMES = ['done', 'retry', 'dead'] as const;

// Texts of a span, by their place in `textAt`.
export const TASK_ID_TEXT = 0;
export const TASK_TYPE_TEXT = 1;
export const REASON_TEXT = 2;
export const ERROR_TEXT = 3;

export const TASK_SPAN_NAME = 'task_processing_span';
export const TASK_TYPE = 'sluice.task_type';
export const ATTEMPT = 'sluice.attempt';
export const OUTCOME = 'sluice.outcome';
/** Why a task is dead. */
export const DEAD_REASON = 'sluice.dead_reason';
/** The event of a failed run, and its attribute. There is no message: it may quote the payload; the dead-letter stream has it. */
export const EXCEPTION = 'exception';
export const EXCEPTION_TYPE = 'exception.type';

/** Turns spans into a message that a receiver understands. */
export interface TaskSpanEncoder {
  readonly contentType: string;
  /** Bytes of what was encoded since `take`. */
  readonly size: number;
  task(span: TaskSpan): void;
  /** The whole message; the next one begins. */
  take(): Buffer;
  /** A message that `take` has returned is over: its memory may be used again. */
  giveBack(message: Buffer): void;
}
