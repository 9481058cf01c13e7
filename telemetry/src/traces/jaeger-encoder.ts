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
  textTagAround,
  trueTag,
} from './jaeger-tags.js';
import {
  BATCH_SIZE,
  DB_SYSTEM,
  ERROR_TYPE,
  FAILED_COUNT,
  isServerError,
  LINK_BYTES,
  MOST_LINKS,
  REDIS_SPAN,
  REQUEST_SPAN_NAME,
  type RequestSpan,
  type RequestSpanEncoder,
  routeAttributes,
  SINGLE_TASK,
  type SpanSource,
  STATUS_CODE,
  TASK_COUNT,
  TASK_ID,
  WRITE_SPAN_NAME,
  type WriteIds,
  type WriteSpan,
} from './request-span.js';
import { WireWriter } from './wire-writer.js';

const FOLLOWS_FROM = 1;
const SAMPLED = 1;

/** Bytes of a span without its references, the attributes of its resource aside, are fewer. */
const MOST_BYTES = 8192;
const FIRST_BYTES = 1 << 20;

/**
 * Writes the two spans of an engine as a batch of Jaeger in thrift: what `@opentelemetry/exporter-jaeger` makes of the same
 * spans, byte for byte, from parts that are prepared at start.
 *
 * @see https://github.com/jaegertracing/jaeger-idl (thrift/jaeger.thrift)
 */
export class JaegerEncoder implements RequestSpanEncoder {
  readonly contentType = 'application/x-thrift';
  private readonly out = new WireWriter(FIRST_BYTES);
  private readonly process: Buffer;
  private readonly routes: readonly Buffer[];
  private readonly errors: readonly Buffer[];
  /** The tags that every span ends with. */
  private readonly common: Buffer;
  private readonly commonTags: number;
  private spans = 0;

  constructor({ serviceName, resource, scope, routes, errors }: SpanSource) {
    this.process = Buffer.concat([
      fieldHead(STRUCT, 1),
      fieldHead(STRING, 1),
      text(serviceName),
      fieldHead(LIST, 2),
      listHead(0),
      Buffer.from([STOP]),
      fieldHead(LIST, 2),
    ]);
    this.routes = routes.map((route) => Buffer.concat(routeAttributes(route).map(textTag)));
    this.errors = errors.map((error) => textTag([ERROR_TYPE, error]));
    const common = [
      ...Object.entries(resource),
      ['otel.library.name', scope.name] as const,
      ['otel.library.version', scope.version] as const,
    ];
    this.common = Buffer.concat(common.map(textTag));
    this.commonTags = common.length;
  }

  get size(): number {
    return this.out.at;
  }

  request(span: RequestSpan): void {
    const { out } = this;
    this.begin(span, span.hasParent ? span.parentId : undefined, REQUEST_NAME, NOTHING, 0);
    this.times(span);
    const tags = this.beginTags();
    out.copy(this.routes[span.route] ?? NOTHING);
    let count = ROUTE_TAGS + 1;
    this.numberTag(STATUS_TAG, span.status);
    if (span.error > 0) {
      out.copy(this.errors[span.error] ?? NOTHING);
      count++;
    }
    if (span.tasks === SINGLE_TASK) {
      out.copy(TASK_ID_TAG.before);
      out.copy(span.taskId);
      out.copy(TASK_ID_TAG.after);
      count++;
    } else if (span.tasks > 0) {
      this.numberTag(TASK_COUNT_TAG, span.tasks);
      count++;
    }
    if (span.write !== undefined) {
      const { traceId, spanId } = span.write;
      out.copy(REDIS_SPAN_TAG.before);
      out.copy(Buffer.from(`${traceId.toString('hex')}-${spanId.toString('hex')}`));
      out.copy(REDIS_SPAN_TAG.after);
      count++;
    }
    this.end(tags, count, isServerError(span.status), SERVER_TAG, 0);
  }

  write(span: WriteSpan): void {
    const { out } = this;
    const linked = span.links.length / LINK_BYTES;
    this.begin(span, span.parentId, WRITE_NAME, span.links, linked);
    this.times(span);
    const tags = this.beginTags();
    out.copy(REDIS_TAG);
    this.numberTag(BATCH_SIZE_TAG, span.tasks);
    let count = 2;
    if (span.failed > 0) {
      this.numberTag(FAILED_COUNT_TAG, span.failed);
      count++;
    }
    this.end(tags, count, span.failed > 0, CLIENT_TAG, Math.max(0, span.requests - MOST_LINKS));
  }

  take(): Buffer {
    const spans = this.out.take();
    const count = this.spans;
    this.spans = 0;
    return Buffer.concat([this.process, listHead(count), spans, Buffer.from([STOP])]);
  }

  private begin(
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

  private times({ start, end }: { start: number; end: number }): void {
    this.head(I64, 8);
    this.int64(start);
    this.head(I64, 9);
    this.int64(end - start);
  }

  /** Begins the list of tags; returns where their number is to stand. */
  private beginTags(): number {
    this.head(LIST, 10);
    this.out.byte(STRUCT);
    const { at } = this.out;
    this.out.at += 4;
    return at;
  }

  private end(tags: number, count: number, failed: boolean, kind: Buffer, droppedLinks: number): void {
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
    this.head(LIST, 11); // no logs
    out.byte(STRUCT);
    this.int32(0);
    out.byte(STOP);
  }

  private head(type: number, id: number): void {
    this.out.byte(type);
    this.out.byte(0);
    this.out.byte(id);
  }

  private int32(value: number): void {
    this.out.bytes.writeUInt32BE(value, this.out.at);
    this.out.at += 4;
  }

  private int64(value: number): void {
    this.int32(Math.floor(value / 2 ** 32));
    this.int32(value % 2 ** 32);
  }

  private numberTag({ before, after }: TagAround, value: number): void {
    const { out } = this;
    out.copy(before);
    out.bytes.writeDoubleBE(value, out.at);
    out.at += 8;
    out.copy(after);
  }
}

const NOTHING = Buffer.alloc(0);
const ROUTE_TAGS = 4;
const REFERENCE_BYTES = 41;
const REFERENCE_HEAD = Buffer.concat([fieldHead(I32, 1), int32(FOLLOWS_FROM)]);
const REQUEST_NAME = Buffer.concat([fieldHead(STRING, 5), text(REQUEST_SPAN_NAME)]);
const WRITE_NAME = Buffer.concat([fieldHead(STRING, 5), text(WRITE_SPAN_NAME)]);
const SERVER_TAG = textTag(['span.kind', 'server']);
const CLIENT_TAG = textTag(['span.kind', 'client']);
const FAILED_TAGS = Buffer.concat([textTag(['otel.status_code', 'ERROR']), trueTag('error')]);
const REDIS_TAG = textTag([DB_SYSTEM, 'redis']);
const STATUS_TAG = numberTagAround(STATUS_CODE);
const TASK_COUNT_TAG = numberTagAround(TASK_COUNT);
const BATCH_SIZE_TAG = numberTagAround(BATCH_SIZE);
const FAILED_COUNT_TAG = numberTagAround(FAILED_COUNT);
const DROPPED_LINKS_TAG = numberTagAround('otel.dropped_links_count');
const TASK_ID_TAG = textTagAround(TASK_ID, 36);
const REDIS_SPAN_TAG = textTagAround(REDIS_SPAN, 49);
