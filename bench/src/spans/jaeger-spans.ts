import { ThriftType } from '@sluice/testbed';
import { PARENT, type SeenSpan, SPAN, TRACE } from './seen-span.js';

const { STOP, BOOL, BYTE, DOUBLE, I16, I32, I64, STRING, STRUCT, LIST } = ThriftType;

// Fields of `Span` in jaeger.thrift.
const TRACE_LOW = 1;
const TRACE_HIGH = 2;
const SPAN_ID = 3;
const PARENT_ID = 4;
const NAME = 5;
const REFERENCES = 6;
const TAGS = 10;

const NUMBER_TAG = 1;
const NOTHING = Buffer.alloc(0);

/**
 * Takes batches of Jaeger (thrift, binary protocol) apart, as far as the bench looks at them.
 *
 * @see https://github.com/jaegertracing/jaeger-idl (thrift/jaeger.thrift)
 */
export class JaegerSpans {
  private bytes: Buffer = NOTHING;
  private view: DataView = new DataView(NOTHING.buffer, 0, 0);
  private at = 0;

  /** @param each called when a span was read into `span` */
  constructor(
    private readonly span: SeenSpan,
    private readonly each: () => void,
  ) {}

  /** @throws Error at what is no such message */
  decode(message: Buffer): void {
    this.bytes = message;
    this.view = new DataView(message.buffer, message.byteOffset, message.length);
    this.at = 0;
    for (let type = this.byte(); type !== STOP; type = this.byte()) {
      const field = this.int16();
      if (field === 2 && type === LIST) for (let left = this.list(); left > 0; left--) this.one();
      else this.skip(type);
    }
    this.bytes = NOTHING;
  }

  private one(): void {
    const { span } = this;
    span.clear();
    for (let type = this.byte(); type !== STOP; type = this.byte()) {
      const field = this.int16();
      if (field === TAGS) {
        for (let left = this.list(); left > 0; left--) this.tag();
        continue;
      }
      if (field === REFERENCES) {
        for (let left = this.list(); left > 0; left--) this.reference();
        continue;
      }
      if (field === TRACE_HIGH) span.id(this.bytes, this.at, TRACE, 2);
      else if (field === TRACE_LOW) span.id(this.bytes, this.at, TRACE + 2, 2);
      else if (field === SPAN_ID) span.id(this.bytes, this.at, SPAN, 2);
      else if (field === PARENT_ID) {
        span.id(this.bytes, this.at, PARENT, 2);
        span.hasParent = (span.words[PARENT] ?? 0) !== 0 || (span.words[PARENT + 1] ?? 0) !== 0;
      } else if (field === NAME) span.name(this.bytes, this.at + 4, this.view.getUint32(this.at));
      this.skip(type);
    }
    this.each();
  }

  /** Of a span nearly all is tags: they are gone through here, without a call for each of their fields. */
  private tag(): void {
    const { bytes, view } = this;
    let { at } = this;
    let key = 0;
    let keyLength = 0;
    let tagType = 0;
    let text = 0;
    let textLength = 0;
    let number = 0;
    for (let type = bytes[at]; type !== STOP; type = bytes[at]) {
      const field = bytes[at + 2];
      at += 3;
      if (type === STRING) {
        const length = view.getUint32(at);
        at += 4;
        if (field === 1) {
          key = at;
          keyLength = length;
        } else if (field === 3) {
          text = at;
          textLength = length;
        }
        at += length;
      } else if (type === I32) {
        if (field === 2) tagType = view.getUint32(at);
        at += 4;
      } else if (type === DOUBLE) {
        if (field === 4) number = view.getFloat64(at);
        at += 8;
      } else {
        this.at = at;
        this.skip(type ?? STOP); // which it refuses
        at = this.at;
      }
    }
    this.at = at + 1;
    if (tagType === NUMBER_TAG) this.span.numberAttribute(bytes, key, keyLength, number);
    else this.span.textAttribute(bytes, key, keyLength, text, textLength);
  }

  private reference(): void {
    this.span.beginLink();
    for (let type = this.byte(); type !== STOP; type = this.byte()) {
      const field = this.int16();
      if (field === 2) this.span.linkId(this.bytes, this.at, TRACE + 2, 2);
      else if (field === 3) this.span.linkId(this.bytes, this.at, TRACE, 2);
      else if (field === 4) this.span.linkId(this.bytes, this.at, SPAN, 2);
      this.skip(type);
    }
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error('a thrift message is cut off');
    return byte;
  }

  private int16(): number {
    return this.byte() * 256 + this.byte();
  }

  private list(): number {
    if (this.byte() !== STRUCT) throw new Error('a thrift list of something else than structs');
    this.at += 4;
    return this.view.getUint32(this.at - 4);
  }

  private skip(type: number): void {
    switch (type) {
      case BOOL:
      case BYTE:
        this.at += 1;
        return;
      case I16:
        this.at += 2;
        return;
      case I32:
        this.at += 4;
        return;
      case DOUBLE:
      case I64:
        this.at += 8;
        return;
      case STRING:
        this.at += 4 + this.view.getUint32(this.at);
        return;
      case STRUCT:
        for (let inner = this.byte(); inner !== STOP; inner = this.byte()) {
          this.int16();
          this.skip(inner);
        }
        return;
      case LIST: {
        const of = this.byte();
        this.at += 4;
        for (let left = this.view.getUint32(this.at - 4); left > 0; left--) this.skip(of);
        return;
      }
      default:
        throw new Error(`a thrift value of type ${type}`);
    }
  }
}
