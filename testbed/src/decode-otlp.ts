import type { AttributeValue, ReceivedSpan, SpanEvent } from './received-span.js';

type Attributes = Record<string, AttributeValue>;

/** Reads the fields of one protobuf message. */
class Message {
  private at = 0;
  field = 0;
  private kind = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Goes to the next field; false at the end. */
  next(): boolean {
    if (this.at >= this.bytes.length) return false;
    const tag = this.number();
    this.field = tag >> 3;
    this.kind = tag & 7;
    return true;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error('a protobuf message ends within a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  part(): Buffer {
    const length = this.number();
    this.at += length;
    if (this.at > this.bytes.length) throw new Error('a protobuf message is cut off');
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    return this.part().toString('utf8');
  }

  /** Of a fixed64 of nanoseconds. */
  microseconds(): number {
    this.at += 8;
    return Number(this.bytes.readBigUInt64LE(this.at - 8) / 1000n);
  }

  double(): number {
    this.at += 8;
    return this.bytes.readDoubleLE(this.at - 8);
  }

  skip(): void {
    if (this.kind === 0) this.number();
    else if (this.kind === 1) this.at += 8;
    else if (this.kind === 2) this.part();
    else if (this.kind === 5) this.at += 4;
    else throw new Error(`a protobuf field of kind ${this.kind}`);
  }
}

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const FAILED = 2;

/** Reads a message of OTLP (ExportTraceServiceRequest). Throws at what is none. */
export function decodeOtlp(body: Buffer, each: (span: ReceivedSpan) => void): void {
  const request = new Message(body);
  while (request.next()) {
    if (request.field === 1) resourceSpans(new Message(request.part()), each);
    else request.skip();
  }
}

function resourceSpans(message: Message, each: (span: ReceivedSpan) => void): void {
  const resource: Attributes = {};
  while (message.next()) {
    if (message.field === 1) resourceInto(new Message(message.part()), resource);
    else if (message.field === 2) scopeSpans(new Message(message.part()), resource, each);
    else message.skip();
  }
}

function resourceInto(message: Message, resource: Attributes): void {
  while (message.next()) {
    if (message.field === 1) attributeInto(new Message(message.part()), resource);
    else message.skip();
  }
}

function scopeSpans(message: Message, resource: Attributes, each: (span: ReceivedSpan) => void): void {
  while (message.next()) {
    if (message.field === 2) each(spanOf(new Message(message.part()), resource));
    else message.skip();
  }
}

function spanOf(message: Message, resource: Attributes): ReceivedSpan {
  const attributes: Attributes = {};
  const links: string[] = [];
  const events: SpanEvent[] = [];
  const span = { name: '', traceId: '', spanId: '', parentId: '', start: 0, end: 0, failed: false };
  let kind: ReceivedSpan['kind'] = 'internal';
  while (message.next()) {
    if (message.field === 1) span.traceId = message.part().toString('hex');
    else if (message.field === 2) span.spanId = message.part().toString('hex');
    else if (message.field === 4) span.parentId = message.part().toString('hex');
    else if (message.field === 5) span.name = message.text();
    else if (message.field === 6) kind = KINDS[message.number()] ?? 'internal';
    else if (message.field === 7) span.start = message.microseconds();
    else if (message.field === 8) span.end = message.microseconds();
    else if (message.field === 9) attributeInto(new Message(message.part()), attributes);
    else if (message.field === 11) events.push(eventOf(new Message(message.part())));
    else if (message.field === 13) links.push(linkOf(new Message(message.part())));
    else if (message.field === 15) span.failed = isFailed(new Message(message.part()));
    else message.skip();
  }
  return { ...span, kind, attributes, links, events, resource };
}

function attributeInto(message: Message, attributes: Attributes): void {
  let key = '';
  let value: AttributeValue;
  while (message.next()) {
    if (message.field === 1) key = message.text();
    else if (message.field === 2) value = valueIn(new Message(message.part()));
    else message.skip();
  }
  attributes[key] = value;
}

function valueIn(message: Message): AttributeValue {
  let value: AttributeValue;
  while (message.next()) {
    if (message.field === 1) value = message.text();
    else if (message.field === 2) value = message.number() === 1;
    else if (message.field === 3) value = message.number();
    else if (message.field === 4) value = message.double();
    else message.skip();
  }
  return value;
}

function linkOf(message: Message): string {
  let traceId = '';
  let spanId = '';
  while (message.next()) {
    if (message.field === 1) traceId = message.part().toString('hex');
    else if (message.field === 2) spanId = message.part().toString('hex');
    else message.skip();
  }
  return `${traceId}-${spanId}`;
}

function eventOf(message: Message): SpanEvent {
  const attributes: Attributes = {};
  let name = '';
  while (message.next()) {
    if (message.field === 2) name = message.text();
    else if (message.field === 3) attributeInto(new Message(message.part()), attributes);
    else message.skip();
  }
  return { name, attributes };
}

function isFailed(message: Message): boolean {
  let code = 0;
  while (message.next()) {
    if (message.field === 3) code = message.number();
    else message.skip();
  }
  return code === FAILED;
}
