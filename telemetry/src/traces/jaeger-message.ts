import {
  fieldHead,
  I32,
  I64,
  int32,
  LIST,
  listHead,
  NO_ID,
  numberTagAround,
  STOP,
  STRING,
  STRUCT,
  type TagAround,
  text,
  textTag,
  trueTag,
} from './jaeger-tags.js';
import { LINK_BYTES, type RequestSpan, type SpanOrigin, type Times, type WriteIds } from './request-span.js';
import { WireWriter } from './wire-writer.js';

const FOLLOWS_FROM = 1;
const SAMPLED = 1;

/** Bytes of a span without its references, the attributes of its resource aside, are fewer. */
const MOST_BYTES = 8192;
const FIRST_BYTES = 1 << 20;

/**
 * A batch of Jaeger in thrift with spans of one source, from parts that are prepared at start.
 *
 * @see https://github.com/jaegertracing/jaeger-idl (thrift/jaeger.thrift)
 */
export class JaegerMessage {
  readonly contentType = 'application/x-thrift';
  protected readonly out: WireWriter;
  private readonly process: Buffer;
  /** The tags that every span ends with. */
  private readonly common: Buffer;
  private readonly commonTags: number;
  private spans = 0;

  constructor({ serviceName, resource, scope }: SpanOrigin) {
    this.process = Buffer.concat([
      fieldHead(STRUCT, 1),
      fieldHead(STRING, 1),
      text(serviceName),
      fieldHead(LIST, 2),
      listHead(0),
      Buffer.from([STOP]),
      fieldHead(LIST, 2),
    ]);
    this.out = new WireWriter(FIRST_BYTES, this.process.length + listHead(0).length);
    const common = [
      ...Object.entries(resource),
      ['otel.library.name', scope.name] as const,
      ['otel.library.version', scope.version] as const,
    ];
    this.common = Buffer.concat(common.map(textTag));
    this.commonTags = common.length;
  }

  /** Bytes of the spans since `take`. */
  get size(): number {
    return this.out.size;
  }

  /** The whole message; the next one begins. */
  take(): Buffer {
    const { out, process, spans } = this;
    this.spans = 0;
    out.ensure(1);
    out.byte(STOP);
    return out.take(Buffer.concat([process, listHead(spans)]));
  }

  /** A message that `take` has returned is over: its memory may be used again. */
  giveBack(message: Buffer): void {
    this.out.giveBack(message);
  }

  /** Makes room for one more span. */
  protected room(linked: number): void {
    this.spans++;
    this.out.ensure(MOST_BYTES + this.common.length + linked * REFERENCE_BYTES);
  }

  /** Begins a span; returns where its ids begin. */
  protected begin(
    { traceId, spanId }: WriteIds,
    parentId: Buffer | undefined,
    name: Buffer,
    links: Buffer,
    linked: number,
  ): number {
    const { out } = this;
    this.room(linked);
    this.head(I64, 1);
    const start = out.at;
    out.copy(traceId, 8, 8);
    this.head(I64, 2);
    out.copy(traceId, 0, 8);
    this.head(I64, 3);
    out.copy(spanId);
    this.head(I64, 4);
    out.copy(parentId ?? NO_ID);
    out.copy(name);
    this.head(LIST, 6);
    out.byte(STRUCT);
    out.int32High(linked);
    for (let at = 0; at < linked * LINK_BYTES; at += LINK_BYTES) {
      out.copy(REFERENCE_HEAD);
      this.head(I64, 2);
      out.copy(links, at + 8, 8);
      this.head(I64, 3);
      out.copy(links, at, 8);
      this.head(I64, 4);
      out.copy(links, at + 16, 8);
      out.byte(STOP);
    }
    this.head(I32, 7);
    out.int32High(SAMPLED);
    return start;
  }

  /** Writes ids over those of another span. */
  protected idsOver({ traceId, spanId, hasParent, parentId }: RequestSpan): void {
    const { out } = this;
    out.copy(traceId, 8, 8);
    out.at += 3;
    out.copy(traceId, 0, 8);
    out.at += 3;
    out.copy(spanId);
    out.at += 3;
    out.copy(hasParent ? parentId : NO_ID);
  }

  /** Returns where the start stands. */
  protected times({ start, end }: Times): number {
    const { out } = this;
    this.head(I64, 8);
    const { at } = out;
    out.int64High(start);
    this.head(I64, 9);
    out.int64High(end - start);
    return at;
  }

  /** Writes times over others. */
  protected timesOver({ start, end }: Times): void {
    const { out } = this;
    out.int64High(start);
    out.at += 3;
    out.int64High(end - start);
  }

  /** Begins the list of tags; returns where their number is to stand. */
  protected beginTags(): number {
    this.head(LIST, 10);
    this.out.byte(STRUCT);
    const { at } = this.out;
    this.out.at += 4;
    return at;
  }

  /** Ends the tags, and the span too unless so many logs follow. */
  protected end(
    tags: number,
    count: number,
    failed: boolean,
    kind: Buffer,
    droppedLinks: number,
    logs = 0,
  ): void {
    const { out } = this;
    let all = count + 1 + this.commonTags;
    if (failed) {
      out.copy(FAILED_TAGS);
      all += 2;
    }
    out.copy(kind);
    out.copy(this.common);
    if (droppedLinks > 0) {
      this.numberTag(DROPPED_LINKS_TAG, droppedLinks);
      all++;
    }
    out.bytes.writeUInt32BE(all, tags);
    this.head(LIST, 11); // logs
    out.byte(STRUCT);
    out.int32High(logs);
    if (logs === 0) out.byte(STOP);
  }

  protected head(type: number, id: number): void {
    this.out.byte(type);
    this.out.byte(0);
    this.out.byte(id);
  }

  protected numberTag({ before, after }: TagAround, value: number): void {
    const { out } = this;
    out.copy(before);
    out.double(value);
    out.copy(after);
  }
}

const REFERENCE_BYTES = 41;
const REFERENCE_HEAD = Buffer.concat([fieldHead(I32, 1), int32(FOLLOWS_FROM)]);
const FAILED_TAGS = Buffer.concat([textTag(['otel.status_code', 'ERROR']), trueTag('error')]);
const DROPPED_LINKS_TAG = numberTagAround('otel.dropped_links_count');

/** The name of a span, as it stands in it. */
export function spanName(name: string): Buffer {
  return Buffer.concat([fieldHead(STRING, 5), text(name)]);
}
