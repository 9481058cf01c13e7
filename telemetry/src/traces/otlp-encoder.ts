import {
  ATTRIBUTE,
  attributeKey,
  countAttribute,
  field,
  LOCAL,
  nameAndKind,
  OtlpMessage,
  REMOTE,
  textAttribute,
  textAttributeWithout,
} from './otlp-message.js';
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
  WRITE_NAME_BYTES,
  WRITE_SPAN_NAME,
  type WriteSpan,
} from './request-span.js';
import { type SpanSpots, UsualSpans } from './usual-spans.js';

/** Kind, as of the protocol: one more than in the API. */
const SERVER = 2;
const CLIENT = 3;

/** Bytes of a span without its links and its own attributes are fewer. */
const MOST_BYTES = 2048;

/**
 * Writes the two spans of an engine as OTLP in protobuf: what the exporter of OpenTelemetry makes of the same spans, byte
 * for byte, from parts that are prepared at start.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto (trace/v1/trace.proto)
 */
export class OtlpEncoder extends OtlpMessage implements RequestSpanEncoder {
  private readonly routes: readonly Buffer[];
  private readonly errors: readonly Buffer[];
  private readonly usual: UsualSpans;

  constructor(source: SpanSource) {
    super(source);
    const { routes, errors } = source;
    this.routes = routes.map((route) =>
      Buffer.concat(
        routeAttributes(route).map(([key, value]) => field(ATTRIBUTE, textAttribute(key, value))),
      ),
    );
    this.errors = errors.map((error) => field(ATTRIBUTE, textAttribute(ERROR_TYPE, error)));
    this.usual = new UsualSpans(this.out, {
      room: () => this.out.ensure(MOST_BYTES),
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
    const start = this.begin(MOST_BYTES);
    const ids = this.identify(span, span.hasParent ? span.parentId : undefined);
    out.copy(REQUEST_NAME_AND_KIND);
    const times = this.times(span);
    out.copy(this.routes[span.route] ?? NOTHING);
    out.copy(STATUS_ATTRIBUTE);
    this.varint(span.status);
    if (span.error > 0) out.copy(this.errors[span.error] ?? NOTHING);
    if (span.tasks === SINGLE_TASK) {
      out.copy(TASK_ID_ATTRIBUTE);
      taskId = out.at;
      out.copy(span.bytes, span.taskIdAt, 36);
    } else if (span.tasks > 0) this.count(TASK_COUNT_KEY, span.tasks);
    if (span.write !== undefined) {
      out.copy(REDIS_SPAN_ATTRIBUTE);
      write = out.at;
      out.copy(span.write, 0, WRITE_NAME_BYTES);
    }
    out.copy(NO_EVENTS);
    this.end(start, 0, isServerError(span.status), span.hasParent ? REMOTE : LOCAL);
    return { ids, times, taskId, write };
  }

  write(span: WriteSpan): void {
    const { out } = this;
    const { links } = span;
    const linked = Math.min(span.requests, MOST_LINKS);
    const start = this.begin(MOST_BYTES + linked * LINK_WIRE_BYTES);
    this.identify(span, span.parentId);
    out.copy(WRITE_NAME_AND_KIND);
    this.times(span);
    out.copy(REDIS_ATTRIBUTE);
    this.count(BATCH_SIZE_KEY, span.tasks);
    if (span.failed > 0) this.count(FAILED_COUNT_KEY, span.failed);
    out.copy(NO_EVENTS);
    for (let at = 0; at < linked * LINK_BYTES; at += LINK_BYTES) {
      out.copy(LINK_HEAD);
      out.copy(links, at, 16);
      out.byte(0x12);
      out.byte(8);
      out.copy(links, at + 16, 8);
      out.copy(LINK_TAIL);
    }
    this.end(start, span.requests - linked, span.failed > 0, LOCAL);
  }
}

const NOTHING = Buffer.alloc(0);
const REQUEST_NAME_AND_KIND = nameAndKind(REQUEST_SPAN_NAME, SERVER);
const WRITE_NAME_AND_KIND = nameAndKind(WRITE_SPAN_NAME, CLIENT);
/** All of an attribute but the number at its end: a status has 2 bytes. */
const STATUS_ATTRIBUTE = field(ATTRIBUTE, countAttribute(STATUS_CODE, 200)).subarray(0, -2);
const TASK_ID_ATTRIBUTE = textAttributeWithout(TASK_ID, 36);
const REDIS_SPAN_ATTRIBUTE = textAttributeWithout(REDIS_SPAN, WRITE_NAME_BYTES);
const TASK_COUNT_KEY = attributeKey(TASK_COUNT);
const BATCH_SIZE_KEY = attributeKey(BATCH_SIZE);
const FAILED_COUNT_KEY = attributeKey(FAILED_COUNT);
const REDIS_ATTRIBUTE = field(ATTRIBUTE, textAttribute(DB_SYSTEM, 'redis'));
/** No attributes were dropped, and no events. */
const NO_EVENTS = Buffer.from([0x50, 0, 0x60, 0]);
const LINK_HEAD = Buffer.from([0x6a, 35, 0x0a, 16]);
/** No attributes were dropped; the flags are those of a span that is sampled. */
const LINK_TAIL = Buffer.from([0x28, 0, 0x35, 0x01, 0x01, 0, 0]);
const LINK_WIRE_BYTES = 37;
