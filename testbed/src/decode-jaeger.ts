import type { AttributeValue, ReceivedSpan, SpanEvent } from './received-span.js';
import { BOOL, BYTE, DOUBLE, I16, I32, I64, LIST, STOP, STRING, STRUCT } from './thrift-types.js';

/** A value of thrift: fields by their number, or a list, or what stands alone. 64-bit numbers are their 16 digits. */
type Value = string | number | boolean | Value[] | Map<number, Value>;

/** Reads thrift's binary protocol. */
class Reader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  struct(): Map<number, Value> {
    const fields = new Map<number, Value>();
    for (;;) {
      const type = this.take(1).readUInt8();
      if (type === STOP) return fields;
      const id = this.take(2).readUInt16BE();
      fields.set(id, this.value(type));
    }
  }

  private value(type: number): Value {
    switch (type) {
      case BOOL:
        return this.take(1).readUInt8() === 1;
      case BYTE:
        return this.take(1).readUInt8();
      case DOUBLE:
        return this.take(8).readDoubleBE();
      case I16:
        return this.take(2).readInt16BE();
      case I32:
        return this.take(4).readInt32BE();
      case I64:
        return this.take(8).toString('hex');
      case STRING:
        return this.take(this.take(4).readUInt32BE()).toString('utf8');
      case STRUCT:
        return this.struct();
      case LIST: {
        const of = this.take(1).readUInt8();
        return Array.from({ length: this.take(4).readUInt32BE() }, () => this.value(of));
      }
      default:
        throw new Error(`a thrift value of type ${type}`);
    }
  }

  private take(count: number): Buffer {
    this.at += count;
    if (this.at > this.bytes.length) throw new Error('a thrift message is cut off');
    return this.bytes.subarray(this.at - count, this.at);
  }
}

const NO_ID = '0'.repeat(16);
const KINDS = ['server', 'client', 'producer', 'consumer'] as const;

/** Reads a batch of Jaeger. Throws at what is none. */
export function decodeJaeger(body: Buffer, each: (span: ReceivedSpan) => void): void {
  const batch = new Reader(body).struct();
  const serviceName = text(fields(batch.get(1)).get(1));
  for (const span of list(batch.get(2))) each(spanOf(fields(span), serviceName));
}

function spanOf(span: Map<number, Value>, serviceName: string): ReceivedSpan {
  const attributes = tagsOf(list(span.get(10)));
  const parentId = text(span.get(4));
  const start = microseconds(span.get(8));
  return {
    traceId: text(span.get(2)) + text(span.get(1)),
    spanId: text(span.get(3)),
    parentId: parentId === NO_ID ? '' : parentId,
    name: text(span.get(5)),
    kind: KINDS.find((kind) => kind === attributes['span.kind']) ?? 'internal',
    start,
    end: start + microseconds(span.get(9)),
    failed: attributes.error === true,
    attributes,
    links: list(span.get(6)).map((reference) => {
      const ids = fields(reference);
      return `${text(ids.get(3))}${text(ids.get(2))}-${text(ids.get(4))}`;
    }),
    events: list(span.get(11)).map((log): SpanEvent => {
      const { event, ...rest } = tagsOf(list(fields(log).get(2)));
      return { name: String(event), attributes: rest };
    }),
    resource: { 'service.name': serviceName },
  };
}

/** Tags by their key; which of its values counts is said by its type. */
function tagsOf(tags: readonly Value[]): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {};
  for (const tag of tags) {
    const parts = fields(tag);
    const value = parts.get([3, 4, 5][Number(parts.get(2))] ?? 3);
    attributes[text(parts.get(1))] = typeof value === 'object' ? undefined : value;
  }
  return attributes;
}

function fields(value: Value | undefined): Map<number, Value> {
  if (value instanceof Map) return value;
  throw new Error('a thrift struct is missing');
}

function list(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new Error('a thrift text is missing');
}

function microseconds(value: Value | undefined): number {
  return Number.parseInt(text(value), 16);
}
