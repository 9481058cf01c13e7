import { TASK_ID_LENGTH, TRACEPARENT_LENGTH, writeTraceparent } from '@sluice/contract';
import { SINGLE_TASK } from './request-span.js';
import { type RingMemory, RingWriter } from './span-ring.js';

/**
 * What an engine process writes down of its requests and of its writes to Redis, as records of one size:
 *
 * ```
 *  0 start   8 end   16 number of the write   20 status and route, or failed   24 tasks   28 kind   29 error
 *  32 task id (36)   68 traceparent of the request (55)   123 -   124 span id of the parent (16, or a zero)   144
 * ```
 *
 * Records of the requests of a write come before the one of the write: so whoever reads them knows what it links to.
 */
export const RECORD_BYTES = 144;

export const REQUEST = 1;
/** A batch of tasks is part of a write. */
export const LINK = 2;
export const WRITE = 3;

export const WRITE_NUMBER_WORD = 4;
export const STATUS_WORD = 5;
export const TASKS_WORD = 6;
export const KIND_AT = 28;
export const ERROR_AT = 29;
export const TASK_ID_AT = 32;
const NAME_LENGTH = TASK_ID_LENGTH + TRACEPARENT_LENGTH;
/** Where the trace id and the span id start as hexadecimal digits. */
export const TRACE_ID_AT = TASK_ID_AT + TASK_ID_LENGTH + 3;
export const SPAN_ID_AT = TRACE_ID_AT + 33;
export const PARENT_AT = 124;

const TRACE_ID_IN_TRACEPARENT = 3;
const PARENT_IN_TRACEPARENT = 36;
const PARENT_DIGITS = 16;
/** Version, trace id and a dash of a traceparent: what a request has in common with what it is part of. */
const COMMON = 36;

/** Names of one task: its id, then the traceparent whose parent id is the span of its request. */
export interface SpanName {
  readonly names: Uint8Array;
  readonly nameAt: number;
}

/**
 * Continues the trace that a request is part of: the span of the request is that of its name, which becomes a child of the
 * parent. All are sampled, whatever the parent says.
 */
export function continueTrace({ names, nameAt }: SpanName, parent: string): void {
  const at = nameAt + TASK_ID_LENGTH;
  // Version 00 whatever the version of the parent is: of a later one we know those parts only (W3C Trace Context, 4.3).
  for (let i = TRACE_ID_IN_TRACEPARENT; i < COMMON; i++) names[at + i] = parent.charCodeAt(i);
}

/** Writes records; a request costs one, and nothing is made for it. */
export class RequestRecorder {
  /** The write that requests are part of which end now; 0: none. */
  current = 0;
  private readonly ring: RingWriter;
  private readonly unnamed = new Uint8Array(NAME_LENGTH);

  constructor(memory: RingMemory) {
    this.ring = new RingWriter(memory);
  }

  /** Names a request that has no task: valid until the next call. */
  nameOfNone(parent: string | undefined): SpanName {
    const name = { names: this.unnamed, nameAt: 0 };
    writeTraceparent(this.unnamed, TASK_ID_LENGTH);
    if (parent !== undefined) continueTrace(name, parent);
    return name;
  }

  /**
   * A request has ended.
   *
   * @param parent the traceparent it came with, if that was a valid one
   * @param startedAt of `SpanClock`, as `endedAt`
   * @param route its number
   * @param error number of the error it was answered with; 0: none
   * @param tasks of its batch; `SINGLE_TASK`: the one of its name; 0: none
   */
  request(
    name: SpanName,
    parent: string | undefined,
    startedAt: number,
    endedAt: number,
    route: number,
    status: number,
    error: number,
    tasks: number,
  ): void {
    const { ring } = this;
    const at = ring.claim();
    if (at < 0) return;
    const { floats, words, bytes } = ring;
    floats[at >> 3] = startedAt;
    floats[(at >> 3) + 1] = endedAt;
    const word = at >> 2;
    words[word + WRITE_NUMBER_WORD] = tasks === SINGLE_TASK ? this.current : 0;
    words[word + STATUS_WORD] = status | (route << 10);
    words[word + TASKS_WORD] = tasks;
    bytes[at + KIND_AT] = REQUEST;
    bytes[at + ERROR_AT] = error;
    const { names, nameAt } = name;
    // For some 90 bytes this loop costs less than a call into C++.
    for (let i = 0; i < NAME_LENGTH; i++) bytes[at + TASK_ID_AT + i] = names[nameAt + i] as number; // a name is that long
    bytes[at + PARENT_AT] = 0;
    if (parent !== undefined) {
      for (let i = 0; i < PARENT_DIGITS; i++) {
        bytes[at + PARENT_AT + i] = parent.charCodeAt(PARENT_IN_TRACEPARENT + i);
      }
    }
    ring.publish();
  }

  /** A request with a batch has tasks in a write. */
  link({ names, nameAt }: SpanName, write: number): void {
    const at = this.ring.claim();
    if (at < 0) return;
    const { words, bytes } = this.ring;
    words[(at >> 2) + WRITE_NUMBER_WORD] = write;
    bytes[at + KIND_AT] = LINK;
    for (let i = TASK_ID_LENGTH; i < NAME_LENGTH; i++)
      bytes[at + TASK_ID_AT + i] = names[nameAt + i] as number; // as above
    this.ring.publish();
  }

  /** A write to Redis has been answered, in whole. */
  write(write: number, startedAt: number, endedAt: number, tasks: number, failed: number): void {
    const at = this.ring.claim();
    if (at < 0) return;
    const { floats, words, bytes } = this.ring;
    floats[at >> 3] = startedAt;
    floats[(at >> 3) + 1] = endedAt;
    const word = at >> 2;
    words[word + WRITE_NUMBER_WORD] = write;
    words[word + STATUS_WORD] = failed;
    words[word + TASKS_WORD] = tasks;
    bytes[at + KIND_AT] = WRITE;
    this.ring.publish();
  }
}
