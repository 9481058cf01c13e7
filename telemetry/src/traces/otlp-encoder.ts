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

// Tags of protobuf: number of the field times 8, plus how it is written.
const SPAN = 0x12; // ScopeSpans.spans
const ATTRIBUTE = 0x4a; // Span.attributes

/** Kind, as of the protocol: one more than in the API. */
const SERVER = 2;
const CLIENT = 3;

const STATUS_UNSET = 0;
const STATUS_ERROR = 2;

// Span.flags: sampled, and whether the parent is in another process is known (0x100), and so (0x200).
const LOCAL = 0x101;
const REMOTE = 0x301;

/** Bytes of a span without its links and its own attributes are fewer. */
const MOST_BYTES = 2048;
const FIRST_BYTES = 1 << 20;

/**
 * Writes the two spans of an engine as OTLP in protobuf: what the exporter of OpenTelemetry makes of the same spans, byte
 * for byte, from parts that are prepared at start.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto (trace/v1/trace.proto)
 */
export class OtlpEncoder implements RequestSpanEncoder {
  readonly contentType = 'application/x-protobuf';
  private readonly out = new WireWriter(FIRST_BYTES);
  private readonly resource: Buffer;
  private readonly scope: Buffer;
  private readonly routes: readonly Buffer[];
  private readonly errors: readonly Buffer[];

  constructor({ resource, scope, routes, errors }: SpanSource) {
    const attributes = Object.entries(resource).map(([key, value]) => field(0x0a, textAttribute(key, value)));
    this.resource = field(0x0a, Buffer.concat([...attributes, Buffer.from([0x10, 0])]));
    this.scope = field(
      0x0a,
      Buffer.concat([field(0x0a, Buffer.from(scope.name)), field(0x12, Buffer.from(scope.version))]),
    );
    this.routes = routes.map((route) =>
      Buffer.concat(
        routeAttributes(route).map(([key, value]) => field(ATTRIBUTE, textAttribute(key, value))),
      ),
    );
    this.errors = errors.map((error) => field(ATTRIBUTE, textAttribute(ERROR_TYPE, error)));
  }

  get size(): number {
    return this.out.at;
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

  take(): Buffer {
    const spans = this.out.take();
    const scopeSpans =
      1 + lengthOfVarint(this.scope.length + spans.length) + this.scope.length + spans.length;
    return Buffer.concat([
      Buffer.from([0x0a]),
      varint(this.resource.length + scopeSpans),
      this.resource,
      Buffer.from([0x12]),
      varint(this.scope.length + spans.length),
      this.scope,
      spans,
    ]);
  }

  /** Begins a span; its length is written when it is known. */
  private begin(mostBytes: number): number {
    const { out } = this;
    out.ensure(mostBytes);
    out.byte(SPAN);
    const start = out.at;
    out.at += 2;
    return start;
  }

  private identify({ traceId, spanId }: WriteIds, parentId: Buffer | undefined): void {
    const { out } = this;
    out.byte(0x0a);
    out.byte(16);
    out.copy(traceId);
    out.byte(0x12);
    out.byte(8);
    out.copy(spanId);
    if (parentId === undefined) return;
    out.byte(0x22);
    out.byte(8);
    out.copy(parentId);
  }

  private times({ start, end }: { start: number; end: number }): void {
    const { out } = this;
    out.byte(0x39);
    out.microseconds(start, 1000);
    out.byte(0x41);
    out.microseconds(end, 1000);
  }

  private end(start: number, droppedLinks: number, failed: boolean, flags: number): void {
    const { out } = this;
    out.byte(0x70);
    this.varint(droppedLinks);
    out.copy(failed ? FAILED : NOT_FAILED);
    out.copy(FLAGS_TAG);
    out.bytes.writeUInt32LE(flags, out.at);
    out.at += 4;
    const length = out.at - start - 2;
    // From 128 to 16,383 bytes: the ids, times and the name are over 80, attributes do the rest; 128 links are 4,700.
    out.bytes[start] = (length & 0x7f) | 0x80;
    out.bytes[start + 1] = length >>> 7;
  }

  private count(key: string, value: number): void {
    this.out.copy(field(ATTRIBUTE, countAttribute(key, value)));
  }

  private varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.out.byte((rest & 0x7f) | 0x80);
    this.out.byte(rest);
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
const NOT_FAILED = Buffer.from([0x7a, 2, 0x18, STATUS_UNSET]);
const FAILED = Buffer.from([0x7a, 2, 0x18, STATUS_ERROR]);
const FLAGS_TAG = Buffer.from([0x85, 0x01]);
const LINK_HEAD = Buffer.from([0x6a, 35, 0x0a, 16]);
/** No attributes were dropped; the flags are those of a span that is sampled. */
const LINK_TAIL = Buffer.from([0x28, 0, 0x35, 0x01, 0x01, 0, 0]);
const LINK_WIRE_BYTES = 37;

function nameAndKind(name: string, kind: number): Buffer {
  return Buffer.concat([field(0x2a, Buffer.from(name)), Buffer.from([0x30, kind])]);
}

/** A field that has a length: text, bytes, or another message. */
function field(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), varint(content.length), content]);
}

function textAttribute(key: string, value: string): Buffer {
  return Buffer.concat([field(0x0a, Buffer.from(key)), field(0x12, field(0x0a, Buffer.from(value)))]);
}

/** An attribute up to its text, which is so long. */
function textAttributeWithout(key: string, length: number): Buffer {
  return field(ATTRIBUTE, textAttribute(key, '0'.repeat(length))).subarray(0, -length);
}

function countAttribute(key: string, value: number): Buffer {
  return Buffer.concat([
    field(0x0a, Buffer.from(key)),
    field(0x12, Buffer.concat([Buffer.from([0x18]), varint(value)])),
  ]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function lengthOfVarint(value: number): number {
  return varint(value).length;
}
