import type { RequestSpan, SpanOrigin, Times, WriteIds } from './request-span.js';
import { WireWriter } from './wire-writer.js';

// Tags of protobuf: number of the field times 8, plus how it is written.
const SPAN = 0x12; // ScopeSpans.spans
export const ATTRIBUTE = 0x4a; // Span.attributes

const STATUS_UNSET = 0;
const STATUS_ERROR = 2;

// Span.flags: sampled, and whether the parent is in another process is known (0x100), and so (0x200).
export const LOCAL = 0x101;
export const REMOTE = 0x301;

const FIRST_BYTES = 1 << 20;
/** Two tags with lengths, of 5 bytes at most. */
const HEAD_BYTES = 12;

/**
 * A message of OTLP with spans of one source, from parts that are prepared at start.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto (trace/v1/trace.proto)
 */
export class OtlpMessage {
  readonly contentType = 'application/x-protobuf';
  protected readonly out: WireWriter;
  private readonly resource: Buffer;
  private readonly scope: Buffer;

  constructor({ resource, scope }: SpanOrigin) {
    const attributes = Object.entries(resource).map(([key, value]) => field(0x0a, textAttribute(key, value)));
    this.resource = field(0x0a, Buffer.concat([...attributes, Buffer.from([0x10, 0])]));
    this.scope = field(
      0x0a,
      Buffer.concat([field(0x0a, Buffer.from(scope.name)), field(0x12, Buffer.from(scope.version))]),
    );
    this.out = new WireWriter(FIRST_BYTES, HEAD_BYTES + this.resource.length + this.scope.length);
  }

  /** Bytes of the spans since `take`. */
  get size(): number {
    return this.out.size;
  }

  /** The whole message; the next one begins. */
  take(): Buffer {
    const { out, resource, scope } = this;
    const spans = varint(scope.length + out.size);
    const scopeSpans = 1 + spans.length + scope.length + out.size;
    return out.take(
      Buffer.concat([
        Buffer.from([0x0a]),
        varint(resource.length + scopeSpans),
        resource,
        Buffer.from([0x12]),
        spans,
        scope,
      ]),
    );
  }

  /** A message that `take` has returned is over: its memory may be used again. */
  giveBack(message: Buffer): void {
    this.out.giveBack(message);
  }

  /** Begins a span; its length is written when it is known. */
  protected begin(mostBytes: number): number {
    const { out } = this;
    out.ensure(mostBytes);
    out.byte(SPAN);
    const start = out.at;
    out.at += 2;
    return start;
  }

  /** Returns where the ids begin. */
  protected identify({ traceId, spanId }: WriteIds, parentId: Buffer | undefined): number {
    const { out } = this;
    out.byte(0x0a);
    out.byte(16);
    const start = out.at;
    out.copy(traceId);
    out.byte(0x12);
    out.byte(8);
    out.copy(spanId);
    if (parentId !== undefined) {
      out.byte(0x22);
      out.byte(8);
      out.copy(parentId);
    }
    return start;
  }

  /** Writes ids over those of a span that has as many. */
  protected idsOver({ traceId, spanId, hasParent, parentId }: RequestSpan): void {
    const { out } = this;
    out.copy(traceId);
    out.at += 2;
    out.copy(spanId);
    if (!hasParent) return;
    out.at += 2;
    out.copy(parentId);
  }

  /** Returns where the start stands. */
  protected times({ start, end }: Times): number {
    const { out } = this;
    out.byte(0x39);
    const { at } = out;
    out.microseconds(start, 1000);
    out.byte(0x41);
    out.microseconds(end, 1000);
    return at;
  }

  /** Writes times over others. */
  protected timesOver({ start, end }: Times): void {
    const { out } = this;
    out.microseconds(start, 1000);
    out.at += 1;
    out.microseconds(end, 1000);
  }

  protected end(start: number, droppedLinks: number, failed: boolean, flags: number): void {
    const { out } = this;
    out.byte(0x70);
    this.varint(droppedLinks);
    out.copy(failed ? FAILED : NOT_FAILED);
    out.copy(FLAGS_TAG);
    out.int32Low(flags);
    const length = out.at - start - 2;
    // From 128 to 16,383 bytes: the ids, times and the name are over 80, attributes do the rest; 128 links are 4,700.
    out.bytes[start] = (length & 0x7f) | 0x80;
    out.bytes[start + 1] = length >>> 7;
  }

  /** An attribute with a number, which is shorter than 128 bytes as a whole. */
  protected count(key: Buffer, value: number): void {
    const { out } = this;
    const { at } = out;
    out.at += 2;
    out.copy(key);
    out.byte(0x12);
    out.at += 1;
    out.byte(0x18);
    const number = out.at;
    this.varint(value);
    out.bytes[at] = ATTRIBUTE;
    out.bytes[at + 1] = out.at - at - 2;
    out.bytes[number - 2] = out.at - number + 1;
  }

  protected varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.out.byte((rest & 0x7f) | 0x80);
    this.out.byte(rest);
  }
}

const NOT_FAILED = Buffer.from([0x7a, 2, 0x18, STATUS_UNSET]);
const FAILED = Buffer.from([0x7a, 2, 0x18, STATUS_ERROR]);
const FLAGS_TAG = Buffer.from([0x85, 0x01]);

export function nameAndKind(name: string, kind: number): Buffer {
  return Buffer.concat([field(0x2a, Buffer.from(name)), Buffer.from([0x30, kind])]);
}

/** A field that has a length: text, bytes, or another message. */
export function field(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), varint(content.length), content]);
}

export function textAttribute(key: string, value: string): Buffer {
  return Buffer.concat([attributeKey(key), field(0x12, field(0x0a, Buffer.from(value)))]);
}

/** The name of an attribute, as it stands in it. */
export function attributeKey(name: string): Buffer {
  return field(0x0a, Buffer.from(name));
}

/** An attribute up to its text, which is so long. */
export function textAttributeWithout(key: string, length: number): Buffer {
  return field(ATTRIBUTE, textAttribute(key, '0'.repeat(length))).subarray(0, -length);
}

export function countAttribute(key: string, value: number): Buffer {
  return Buffer.concat([attributeKey(key), field(0x12, Buffer.concat([Buffer.from([0x18]), varint(value)]))]);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
