import { OpenWrites, writeSpanId } from './open-writes.js';
import {
  ERROR_AT,
  KIND_AT,
  LINK,
  PARENT_AT,
  REQUEST,
  SPAN_ID_AT,
  STATUS_WORD,
  TASK_ID_AT,
  TASKS_WORD,
  TRACE_ID_AT,
  WRITE_NUMBER_WORD,
} from './request-records.js';
import { LINK_BYTES, type RequestSpan, type RequestSpanEncoder, type WriteSpan } from './request-span.js';
import type { RingReader } from './span-ring.js';
import { microsecondsOf, unhex, viewOf } from './wire-writer.js';

/** Turns the records of a ring into spans, in the order in which they were written. */
export class RequestSpanReader {
  private readonly open = new OpenWrites();
  private readonly digits: DataView;
  private readonly ids = Buffer.alloc(LINK_BYTES);
  private readonly span: RequestSpan;
  private spans = 0;
  private readonly take = (at: number): void => this.one(at);

  constructor(
    private readonly ring: RingReader,
    private readonly encoder: RequestSpanEncoder,
  ) {
    this.digits = viewOf(ring.bytes);
    this.span = {
      traceId: this.ids.subarray(0, 16),
      spanId: this.ids.subarray(16),
      parentId: Buffer.alloc(8),
      hasParent: false,
      start: 0,
      end: 0,
      route: 0,
      status: 0,
      error: 0,
      bytes: ring.bytes,
      taskIdAt: 0,
      tasks: 0,
      write: undefined,
    };
  }

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
      this.linked(number, at);
    } else {
      this.write(at, number);
    }
  }

  /** Reads the ids of a request. */
  private identify(at: number): void {
    unhex(this.digits, at + TRACE_ID_AT, 16, this.ids, 0);
    unhex(this.digits, at + SPAN_ID_AT, 8, this.ids, 16);
  }

  private request(at: number, number: number): void {
    const { span } = this;
    const { bytes, words } = this.ring;
    span.hasParent = bytes[at + PARENT_AT] !== 0;
    if (span.hasParent) unhex(this.digits, at + PARENT_AT, 8, span.parentId, 0);
    this.times(at);
    const status = words[(at >> 2) + STATUS_WORD] as number;
    span.status = status & 0x3ff;
    span.route = status >>> 10;
    span.error = bytes[at + ERROR_AT] as number;
    span.tasks = words[(at >> 2) + TASKS_WORD] as number;
    span.taskIdAt = at + TASK_ID_AT;
    span.write = number === 0 ? undefined : this.linked(number, at);
    this.encoder.request(span);
    this.spans++;
  }

  /** Notes that the request at `at`, of which the ids were read, is part of a write. Returns the name of that. */
  private linked(number: number, at: number): Buffer {
    const { open, ring, ids } = this;
    const write = open.find(number) ?? open.begin(number, ids, ring.bytes, at + TRACE_ID_AT);
    open.link(write, ids);
    return write.name;
  }

  private write(at: number, number: number): void {
    const { words } = this.ring;
    const write = this.open.end(number);
    this.times(at);
    const { start, end } = this.span;
    const tasks = words[(at >> 2) + TASKS_WORD] as number;
    const failed = words[(at >> 2) + STATUS_WORD] as number;
    if (write === undefined) this.encoder.write({ ...unrelated(), start, end, tasks, failed });
    else {
      const { traceId, spanId, parentId, links, requests } = write;
      this.encoder.write({ traceId, spanId, parentId, start, end, tasks, failed, links, requests });
      this.open.giveBack(write);
    }
    this.spans++;
  }

  private times(at: number): void {
    const { floats } = this.ring;
    this.span.start = microsecondsOf(floats[at >> 3] as number);
    this.span.end = microsecondsOf(floats[(at >> 3) + 1] as number);
  }
}

/** A write of which nothing is known, as the records of its requests found no room: it is a trace of its own. */
function unrelated(): Pick<WriteSpan, 'traceId' | 'spanId' | 'parentId' | 'links' | 'requests'> {
  const traceId = Buffer.alloc(16);
  const spanId = Buffer.alloc(8);
  writeSpanId(traceId.subarray(8));
  writeSpanId(traceId);
  writeSpanId(spanId);
  return { traceId, spanId, parentId: undefined, links: Buffer.alloc(0), requests: 0 };
}
