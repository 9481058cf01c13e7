import { type RequestSpan, SINGLE_TASK, WRITE_NAME_BYTES } from './request-span.js';
import type { WireWriter } from './wire-writer.js';

/** Where in a message stands what differs between two spans of the same shape. */
export interface SpanSpots {
  /** The first of its ids. */
  readonly ids: number;
  /** Its start. */
  readonly times: number;
  readonly taskId: number;
  /** The name of its write, if it has one. */
  readonly write: number;
}

/** What is particular to a protocol. */
export interface SpanParts {
  /** Makes room for one more span. */
  room(): void;
  /** Writes a span part by part. Returns where they stand. */
  whole(span: RequestSpan): SpanSpots;
  /** Writes the ids of a span over those of another one, from the first of them on. */
  ids(span: RequestSpan): void;
  /** Likewise its times. */
  times(span: RequestSpan): void;
}

interface Template {
  readonly bytes: Buffer;
  readonly spots: SpanSpots;
}

/** Shapes of a route: whether the span has a parent, and whether its write is known. */
const SHAPES = 4;
const TASK_ID_BYTES = 36;

/**
 * Writes the spans of single tasks that were accepted: nearly all spans are, and those of a route differ in their ids, times
 * and names only. So the first one of a shape is kept, and for all others it is copied and these are written over it.
 */
export class UsualSpans {
  private readonly templates: Template[] = [];

  constructor(
    private readonly out: WireWriter,
    private readonly parts: SpanParts,
  ) {}

  /** Returns whether it is such a span; if not, nothing was written. */
  write(span: RequestSpan): boolean {
    if (span.status !== 202 || span.tasks !== SINGLE_TASK || span.error !== 0) return false;
    const shape = span.route * SHAPES + (span.hasParent ? 2 : 0) + (span.write === undefined ? 0 : 1);
    const template = this.templates[shape];
    if (template === undefined) this.templates[shape] = this.first(span);
    else this.another(template, span);
    return true;
  }

  private first(span: RequestSpan): Template {
    const { out, parts } = this;
    const start = out.at;
    const { ids, times, taskId, write } = parts.whole(span);
    return {
      bytes: Buffer.from(out.bytes.subarray(start, out.at)),
      spots: { ids: ids - start, times: times - start, taskId: taskId - start, write: write - start },
    };
  }

  private another({ bytes, spots }: Template, span: RequestSpan): void {
    const { out, parts } = this;
    parts.room();
    const start = out.at;
    out.copy(bytes);
    out.at = start + spots.ids;
    parts.ids(span);
    out.at = start + spots.times;
    parts.times(span);
    out.at = start + spots.taskId;
    out.copy(span.bytes, span.taskIdAt, TASK_ID_BYTES);
    if (span.write !== undefined) {
      out.at = start + spots.write;
      out.copy(span.write, 0, WRITE_NAME_BYTES);
    }
    out.at = start + bytes.length;
  }
}
