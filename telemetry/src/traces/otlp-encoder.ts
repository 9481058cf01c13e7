import {
  ATTRIBUTE,
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
  WRITE_SPAN_NAME,
  type WriteSpan,
} from './request-span.js';

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

  constructor(source: SpanSource) {
    super(source);
    const { routes, errors } = source;
    this.routes = routes.map((route) =>
      Buffer.concat(
        routeAttributes(route).map(([key, value]) => field(ATTRIBUTE, textAttribute(key, value))),
      ),
    );
    this.errors = errors.map((error) => field(ATTRIBUTE, textAttribute(ERROR_TYPE, error)));
  }

  request(span: RequestSpan): void {
    const { out } = this;
    const start = this.begin(MOST_BYTES);
    this.identify(span, span.hasParent ? span.parentId : undefined);
    out.copy(REQUEST_NAME_AND_KIND);
    this.times(span);
    out.copy(this.routes[span.route] ?? NOTHING);
    out.copy(STATUS_ATTRIBUTE);
    this.varint(span.status);
    if (span.error > 0) out.copy(this.errors[span.error] ?? NOTHING);
    if (span.tasks === SINGLE_TASK) {
      out.copy(TASK_ID_ATTRIBUTE);
      out.copy(span.taskId);
    } else if (span.tasks > 0) this.count(TASK_COUNT, span.tasks);
    if (span.write !== undefined) {
      out.copy(REDIS_SPAN_ATTRIBUTE);
      this.hex(span.write.traceId);
      out.byte(0x2d);
      this.hex(span.write.spanId);
    }
    out.copy(NO_EVENTS);
    this.end(start, 0, isServerError(span.status), span.hasParent ? REMOTE : LOCAL);
  }

  write(span: WriteSpan): void {
    const { out } = this;
    const { links } = span;
    const start = this.begin(MOST_BYTES + (links.length / LINK_BYTES) * LINK_WIRE_BYTES);
    this.identify(span, span.parentId);
    out.copy(WRITE_NAME_AND_KIND);
    this.times(span);
    out.copy(REDIS_ATTRIBUTE);
    this.count(BATCH_SIZE, span.tasks);
    if (span.failed > 0) this.count(FAILED_COUNT, span.failed);
    out.copy(NO_EVENTS);
    for (let at = 0; at < links.length; at += LINK_BYTES) {
      out.copy(LINK_HEAD);
      out.copy(links, at, 16);
      out.byte(0x12);
      out.byte(8);
      out.copy(links, at + 16, 8);
      out.copy(LINK_TAIL);
    }
    this.end(start, Math.max(0, span.requests - MOST_LINKS), span.failed > 0, LOCAL);
  }

  private hex(bytes: Buffer): void {
    for (let i = 0; i < bytes.length; i++) this.out.copy(HEX, 2 * (bytes[i] as number), 2); // i is within it
  }
}

const NOTHING = Buffer.alloc(0);
const HEX = Buffer.from(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''),
);
const REQUEST_NAME_AND_KIND = nameAndKind(REQUEST_SPAN_NAME, SERVER);
const WRITE_NAME_AND_KIND = nameAndKind(WRITE_SPAN_NAME, CLIENT);
/** All of an attribute but the number at its end: a status has 2 bytes. */
const STATUS_ATTRIBUTE = field(ATTRIBUTE, countAttribute(STATUS_CODE, 200)).subarray(0, -2);
const TASK_ID_ATTRIBUTE = textAttributeWithout(TASK_ID, 36);
const REDIS_SPAN_ATTRIBUTE = textAttributeWithout(REDIS_SPAN, 49);
const REDIS_ATTRIBUTE = field(ATTRIBUTE, textAttribute(DB_SYSTEM, 'redis'));
/** No attributes were dropped, and no events. */
const NO_EVENTS = Buffer.from([0x50, 0, 0x60, 0]);
const LINK_HEAD = Buffer.from([0x6a, 35, 0x0a, 16]);
/** No attributes were dropped; the flags are those of a span that is sampled. */
const LINK_TAIL = Buffer.from([0x28, 0, 0x35, 0x01, 0x01, 0, 0]);
const LINK_WIRE_BYTES = 37;
