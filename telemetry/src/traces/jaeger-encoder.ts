import { JaegerMessage, spanName } from './jaeger-message.js';
import { numberTagAround, textTag, textTagAround } from './jaeger-tags.js';
import {
  BATCH_SIZE,
  DB_SYSTEM,
  ERROR_TYPE,
  FAILED_COUNT,
  isServerError,
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
  WRITE_NAME_BYTES,
  WRITE_SPAN_NAME,
  type WriteSpan,
} from './request-span.js';
import { type SpanSpots, UsualSpans } from './usual-spans.js';

/**
 * Writes the two spans of an engine as a batch of Jaeger in thrift: what `@opentelemetry/exporter-jaeger` makes of the same
 * spans, byte for byte, from parts that are prepared at start.
 *
 * @see https://github.com/jaegertracing/jaeger-idl (thrift/jaeger.thrift)
 */
export class JaegerEncoder extends JaegerMessage implements RequestSpanEncoder {
  private readonly routes: readonly Buffer[];
  private readonly errors: readonly Buffer[];
  private readonly usual: UsualSpans;

  constructor(source: SpanSource) {
    super(source);
    this.routes = source.routes.map((route) => Buffer.concat(routeAttributes(route).map(textTag)));
    this.errors = source.errors.map((error) => textTag([ERROR_TYPE, error]));
    this.usual = new UsualSpans(this.out, {
      room: () => this.room(0),
      whole: (span) => this.whole(span),
      ids: (span) => this.idsOver(span),
      times: (span) => this.timesOver(span),
    });
  }

  request(span: RequestSpan): void {
    if (!this.usual.write(span)) this.whole(span);
  }

  private whole(span: RequestSpan): SpanSpots {
    const { out } = this;
    let taskId = 0;
    let write = 0;
    const ids = this.begin(span, span.hasParent ? span.parentId : undefined, REQUEST_NAME, NOTHING, 0);
    const times = this.times(span);
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
      taskId = out.at;
      out.copy(span.bytes, span.taskIdAt, 36);
      out.copy(TASK_ID_TAG.after);
      count++;
    } else if (span.tasks > 0) {
      this.numberTag(TASK_COUNT_TAG, span.tasks);
      count++;
    }
    if (span.write !== undefined) {
      out.copy(REDIS_SPAN_TAG.before);
      write = out.at;
      out.copy(span.write, 0, WRITE_NAME_BYTES);
      out.copy(REDIS_SPAN_TAG.after);
      count++;
    }
    this.end(tags, count, isServerError(span.status), SERVER_TAG, 0);
    return { ids, times, taskId, write };
  }

  write(span: WriteSpan): void {
    const { out } = this;
    const linked = Math.min(span.requests, MOST_LINKS);
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
    this.end(tags, count, span.failed > 0, CLIENT_TAG, span.requests - linked);
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
const REDIS_SPAN_TAG = textTagAround(REDIS_SPAN, WRITE_NAME_BYTES);
