import {
  ERROR_AT,
  KIND_AT,
  LINK,
  newSpanId,
  PARENT_AT,
  REQUEST,
  SPAN_ID_AT,
  STATUS_WORD,
  TASK_ID_AT,
  TASKS_WORD,
  TRACE_ID_AT,
  WRITE_NUMBER_WORD,
} from './request-records.js';
import {
  LINK_BYTES,
  MOST_LINKS,
  type RequestSpan,
  type RequestSpanEncoder,
  type WriteIds,
} from './request-span.js';
import type { RingReader } from './span-ring.js';
import { microsecondsOf, unhex } from './wire-writer.js';

/** Writes of which requests have come and they themselves have not: those that are older came to nothing. */
const MOST_OPEN_WRITES = 4096;
const FIRST_LINKS = 8;

/** A write to Redis, as far as its requests tell of it. It belongs to the trace of the first one. */
interface OpenWrite extends WriteIds {
  readonly parentId: Buffer;
  links: Buffer;
  requests: number;
}

/** Turns the records of a ring into spans, in the order in which they were written. */
export class RequestSpanReader {
  private readonly open = new Map<number, OpenWrite>();
  private readonly ids = Buffer.alloc(LINK_BYTES);
  private readonly span: RequestSpan = {
    traceId: this.ids.subarray(0, 16),
    spanId: this.ids.subarray(16),
    parentId: Buffer.alloc(8),
    hasParent: false,
    start: 0,
    end: 0,
    route: 0,
    status: 0,
    error: 0,
    taskId: Buffer.alloc(36),
    tasks: 0,
    write: undefined,
  };
  private spans = 0;
  private readonly take = (at: number): void => this.one(at);

  constructor(
    private readonly ring: RingReader,
    private readonly encoder: RequestSpanEncoder,
  ) {}

  /** Encodes at most so many records; returns how many spans that made. */
  read(mostRecords: number): number {
    this.spans = 0;
    this.ring.read(mostRecords, this.take);
    return this.spans;
  }

  private one(at: number): void {
    const { bytes, words } = this.ring;
    const kind = bytes[at + KIND_AT];
    const number = words[(at >> 2) + WRITE_NUMBER_WORD] as number; // a record is that long, here and below
    if (kind === REQUEST) {
      this.identify(at);
      this.request(at, number);
    } else if (kind === LINK) {
      this.identify(at);
      this.linked(number);
    } else {
      this.write(at, number);
    }
  }

  /** Reads the ids of a request. */
  private identify(at: number): void {
    unhex(this.ring.bytes, at + TRACE_ID_AT, 16, this.ids, 0);
    unhex(this.ring.bytes, at + SPAN_ID_AT, 8, this.ids, 16);
  }

  private request(at: number, number: number): void {
    const { span } = this;
    const { bytes, words } = this.ring;
    span.hasParent = bytes[at + PARENT_AT] !== 0;
    if (span.hasParent) unhex(bytes, at + PARENT_AT, 8, span.parentId, 0);
    this.times(at);
    const status = words[(at >> 2) + STATUS_WORD] as number;
    span.status = status & 0x3ff;
    span.route = status >>> 10;
    span.error = bytes[at + ERROR_AT] as number;
    span.tasks = words[(at >> 2) + TASKS_WORD] as number;
    for (let i = 0; i < 36; i++) span.taskId[i] = bytes[at + TASK_ID_AT + i] as number;
    span.write = number === 0 ? undefined : this.linked(number);
    this.encoder.request(span);
    this.spans++;
  }

  /** Notes that the request whose ids were read last is part of a write. */
  private linked(number: number): OpenWrite {
    const write = this.open.get(number) ?? this.opened(number);
    if (write.requests < MOST_LINKS) {
      const at = write.requests * LINK_BYTES;
      if (at === write.links.length) write.links = Buffer.concat([write.links], 2 * at);
      write.links.set(this.ids, at);
    }
    write.requests++;
    return write;
  }

  private opened(number: number): OpenWrite {
    const write: OpenWrite = {
      traceId: Buffer.from(this.span.traceId),
      spanId: newSpanId(),
      parentId: Buffer.from(this.span.spanId),
      links: Buffer.alloc(FIRST_LINKS * LINK_BYTES),
      requests: 0,
    };
    this.open.set(number, write);
    if (this.open.size > MOST_OPEN_WRITES) {
      const [oldest] = this.open.keys();
      if (oldest !== undefined) this.open.delete(oldest);
    }
    return write;
  }

  private write(at: number, number: number): void {
    const { words } = this.ring;
    const open = this.open.get(number);
    this.open.delete(number);
    this.times(at);
    const { start, end } = this.span;
    const tasks = words[(at >> 2) + TASKS_WORD] as number;
    const failed = words[(at >> 2) + STATUS_WORD] as number;
    this.encoder.write({
      // Nothing is known of its requests when their records found no room: then it is a trace of its own.
      traceId: open?.traceId ?? Buffer.concat([newSpanId(), newSpanId()]),
      spanId: open?.spanId ?? newSpanId(),
      parentId: open?.parentId,
      start,
      end,
      tasks,
      failed,
      links: open?.links.subarray(0, Math.min(open.requests, MOST_LINKS) * LINK_BYTES) ?? Buffer.alloc(0),
      requests: open?.requests ?? 0,
    });
    this.spans++;
  }

  private times(at: number): void {
    const { floats } = this.ring;
    this.span.start = microsecondsOf(floats[at >> 3] as number);
    this.span.end = microsecondsOf(floats[(at >> 3) + 1] as number);
  }
}
