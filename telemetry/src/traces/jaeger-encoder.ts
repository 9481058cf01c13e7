import { JaegerMessage, spanName } from './jaeger-message.js';
import { numberTagAround, textTag, textTagAround } from './jaeger-tags.js';
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
  type WriteSpan,
} from './request-span.js';

/**
 * Writes the two spans of an engine as a batch of Jaeger in thrift: what `@opentelemetry/exporter-jaeger` makes of the same
 * spans, byte for byte, from parts that are prepared at start.
 *
 * @see https://github.com/jaegertracing/jaeger-idl (thrift/jaeger.thrift)
 */
export class JaegerEncoder extends JaegerMessage implements RequestSpanEncoder {
  private readonly routes: readonly Buffer[];
  private readonly errors: readonly Buffer[];

  constructor(source: SpanSource) {
    super(source);
    this.routes = source.routes.map((route) => Buffer.concat(routeAttributes(route).map(textTag)));
    this.errors = source.errors.map((error) => textTag([ERROR_TYPE, error]));
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
}

const NOTHING = Buffer.alloc(0);
const ROUTE_TAGS = 4;
const REQUEST_NAME = spanName(REQUEST_SPAN_NAME);
const WRITE_NAME = spanName(WRITE_SPAN_NAME);
const SERVER_TAG = textTag(['span.kind', 'server']);
const CLIENT_TAG = textTag(['span.kind', 'client']);
const REDIS_TAG = textTag([DB_SYSTEM, 'redis']);
const STATUS_TAG = numberTagAround(STATUS_CODE);
const TASK_COUNT_TAG = numberTagAround(TASK_COUNT);
const BATCH_SIZE_TAG = numberTagAround(BATCH_SIZE);
const FAILED_COUNT_TAG = numberTagAround(FAILED_COUNT);
const TASK_ID_TAG = textTagAround(TASK_ID, 36);
const REDIS_SPAN_TAG = textTagAround(REDIS_SPAN, 49);
