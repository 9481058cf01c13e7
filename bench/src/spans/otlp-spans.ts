import { PARENT, type SeenSpan, SPAN, TRACE } from './seen-span.js';

// Tags of protobuf: number of the field times 8, plus how it is written.
const RESOURCE_SPANS = 0x0a;
const SCOPE_SPANS = 0x12;
const SPANS = 0x12;
const ATTRIBUTE = 0x4a;
const LINK = 0x6a;

const NOTHING = Buffer.alloc(0);

/**
 * Takes messages of OTLP (ExportTraceServiceRequest, protobuf) apart, as far as the bench looks at them.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto (trace/v1/trace.proto)
 */
export class OtlpSpans {
  private bytes: Buffer = NOTHING;
  private at = 0;

  /** @param each called when a span was read into `span` */
  constructor(
    private readonly span: SeenSpan,
    private readonly each: () => void,
  ) {}

  /** @throws Error at what is no such message */
  decode(message: Buffer): void {
    this.bytes = message;
    this.at = 0;
    this.parts(message.length, RESOURCE_SPANS, (resourceSpans) => {
      this.parts(resourceSpans, SCOPE_SPANS, (scopeSpans) => {
        this.parts(scopeSpans, SPANS, (span) => this.one(span));
      });
    });
    this.bytes = NOTHING;
  }

  /** Goes through the parts with this tag of a message that ends there, and skips all else. */
  private parts(end: number, wanted: number, read: (end: number) => void): void {
    while (this.at < end) {
      const tag = this.varint();
      if (tag === wanted) read(this.endOfPart());
      else this.skip(tag);
    }
    this.endsAt(end);
  }

  private one(end: number): void {
    const { span } = this;
    span.clear();
    while (this.at < end) {
      const tag = this.varint();
      if (tag === 0x70) {
        span.droppedLinks = this.varint();
        continue;
      }
      if ((tag & 7) !== 2) {
        this.skip(tag);
        continue;
      }
      const partEnd = this.endOfPart();
      if (tag === 0x0a) span.id(this.bytes, this.at, TRACE, 4);
      else if (tag === 0x12) span.id(this.bytes, this.at, SPAN, 2);
      else if (tag === 0x22 && partEnd > this.at) {
        span.id(this.bytes, this.at, PARENT, 2);
        span.hasParent = true;
      } else if (tag === 0x2a) span.name(this.bytes, this.at, partEnd - this.at);
      else if (tag === ATTRIBUTE) this.attribute(partEnd);
      else if (tag === LINK) this.link(partEnd);
      this.at = partEnd;
    }
    this.endsAt(end);
    this.each();
  }

  private attribute(end: number): void {
    if (this.varint() !== 0x0a) return; // the key comes first, with whoever writes fields in their order
    const keyEnd = this.endOfPart();
    const key = this.at;
    this.at = keyEnd;
    if (this.at >= end || this.varint() !== 0x12) return;
    this.endOfPart();
    const kind = this.varint();
    if (kind === 0x0a) {
      const valueEnd = this.endOfPart();
      this.span.textAttribute(this.bytes, key, keyEnd - key, this.at, valueEnd - this.at);
    } else if (kind === 0x18) {
      this.span.numberAttribute(this.bytes, key, keyEnd - key, this.varint());
    }
  }

  private link(end: number): void {
    this.span.beginLink();
    while (this.at < end) {
      const tag = this.varint();
      if (tag === 0x0a || tag === 0x12) {
        const partEnd = this.endOfPart();
        this.span.linkId(this.bytes, this.at, tag === 0x0a ? TRACE : SPAN, tag === 0x0a ? 4 : 2);
        this.at = partEnd;
      } else this.skip(tag);
    }
  }

  private varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error('a protobuf message ends within a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  private endOfPart(): number {
    const length = this.varint();
    if (this.at + length > this.bytes.length) throw new Error('a protobuf message is cut off');
    return this.at + length;
  }

  private skip(tag: number): void {
    const kind = tag & 7;
    if (kind === 0) this.varint();
    else if (kind === 1) this.at += 8;
    else if (kind === 2) this.at = this.endOfPart();
    else if (kind === 5) this.at += 4;
    else throw new Error(`a protobuf field of kind ${kind}`);
  }

  private endsAt(end: number): void {
    if (this.at !== end) throw new Error('a part of a protobuf message does not end where it says');
  }
}
