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
import { LINK_BYTES, type SpanOrigin, type WriteIds } from './request-span.js';
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
  protected readonly out = new WireWriter(FIRST_BYTES);
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
    return this.out.at;
  }

  /** The whole message; the next one begins. */
  take(): Buffer {
    const spans = this.out.take();
    const count = this.spans;
    this.spans = 0;
    return Buffer.concat([this.process, listHead(count), spans, Buffer.from([STOP])]);
  }

  protected begin(
    { traceId, spanId }: WriteIds,
    parentId: Buffer | undefined,
    name: Buffer,
    links: Buffer,
    linked: number,
  ): void {
    const { out } = this;
    this.spans++;
    out.ensure(MOST_BYTES + this.common.length + linked * REFERENCE_BYTES);
    this.head(I64, 1);
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
    this.int32(linked);
    for (let at = 0; at < links.length; at += LINK_BYTES) {
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
    this.int32(SAMPLED);
  }

  protected times({ start, end }: { start: number; end: number }): void {
    this.head(I64, 8);
    this.int64(start);
    this.head(I64, 9);
    this.int64(end - start);
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
    this.int32(logs);
    if (logs === 0) out.byte(STOP);
  }

  protected head(type: number, id: number): void {
    this.out.byte(type);
    this.out.byte(0);
    this.out.byte(id);
  }

  protected int32(value: number): void {
    this.out.bytes.writeUInt32BE(value, this.out.at);
    this.out.at += 4;
  }

  protected int64(value: number): void {
    this.int32(Math.floor(value / 2 ** 32));
    this.int32(value % 2 ** 32);
  }

  protected numberTag({ before, after }: TagAround, value: number): void {
    const { out } = this;
    out.copy(before);
    out.bytes.writeDoubleBE(value, out.at);
    out.at += 8;
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
