/** Messages that are over of which the memory is kept for others. */
const MOST_SPARE = 2;

/**
 * Bytes of a message that grows. Its memory is used again once the message is over: new memory has to be cleared by the
 * system page by page, which costs more than what is written into it.
 */
export class WireWriter {
  bytes: Buffer;
  at: number;
  private view: DataView;
  private readonly spare: Buffer[] = [];

  /** @param room bytes to leave free in front, for how the message begins */
  constructor(
    private readonly firstBytes: number,
    private readonly room: number,
  ) {
    this.bytes = Buffer.allocUnsafeSlow(firstBytes);
    this.view = viewOf(this.bytes);
    this.at = room;
  }

  /** Bytes that were written since `take`. */
  get size(): number {
    return this.at - this.room;
  }

  /** Makes sure that so many bytes can be written; nothing else does. */
  ensure(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.write(larger);
  }

  /** What was written, behind `head`, for which there must be room; the writer begins anew with other memory. */
  take(head: Uint8Array): Buffer {
    const start = this.room - head.length;
    if (start < 0) throw new RangeError(`a head of ${head.length} bytes, with room for ${this.room}`);
    this.bytes.set(head, start);
    const taken = this.bytes.subarray(start, this.at);
    this.write(this.spare.pop() ?? Buffer.allocUnsafeSlow(this.firstBytes));
    this.at = this.room;
    return taken;
  }

  /** A message is over: nobody will look at what `take` has returned any more, and its memory may be used again. */
  giveBack(message: Buffer): void {
    if (message.buffer.byteLength !== this.firstBytes || this.spare.length === MOST_SPARE) return;
    this.spare.push(Buffer.from(message.buffer));
  }

  copy(from: Uint8Array, start = 0, length = from.length): void {
    const { bytes, at } = this;
    this.at = at + length;
    if (length > LOOP_BYTES && length === from.length) {
      bytes.set(from, at);
      return;
    }
    for (let i = 0; i < length; i++) bytes[at + i] = from[start + i] as number; // start + length is within it
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** 32 bits, lower bytes first. */
  int32Low(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** 32 bits, higher bytes first. */
  int32High(value: number): void {
    this.view.setUint32(this.at, value);
    this.at += 4;
  }

  /** A whole number of 64 bits, higher bytes first. */
  int64High(value: number): void {
    const high = Math.floor(value / TWO_32);
    this.view.setUint32(this.at, high);
    this.view.setUint32(this.at + 4, value - high * TWO_32);
    this.at += 8;
  }

  /** Higher bytes first. */
  double(value: number): void {
    this.view.setFloat64(this.at, value);
    this.at += 8;
  }

  /** A 64-bit number of so many microseconds times `factor`, lower half first. */
  microseconds(value: number, factor: number): void {
    // No remainders: of doubles they cost as much as all else here.
    const upper = Math.floor(value / TWO_32);
    const low = (value - upper * TWO_32) * factor;
    const carry = Math.floor(low / TWO_32);
    const high = upper * factor + carry;
    this.view.setUint32(this.at, low - carry * TWO_32, true);
    this.view.setUint32(this.at + 4, high - Math.floor(high / TWO_32) * TWO_32, true);
    this.at += 8;
  }

  private write(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

/** Up to so many bytes a loop costs less than a call into C++. */
const LOOP_BYTES = 48;
const TWO_32 = 2 ** 32;

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Whole microseconds of a time in milliseconds: what spans are exact to. */
export function microsecondsOf(ms: number): number {
  return Math.round(ms * 1000);
}

/**
 * Turns hexadecimal digits, as of traceparents, into `count` bytes, an even number. Four digits are read at once: a letter is
 * told by its bit 6, and is nine more than its lower half.
 */
export function unhex(from: DataView, start: number, count: number, to: Uint8Array, at: number): void {
  for (let i = 0; i < count; i += 2) {
    const digits = from.getUint32(start + 2 * i, true);
    const values = (digits & 0x0f0f0f0f) + ((digits >>> 6) & 0x01010101) * 9;
    const pairs = (values << 4) | (values >>> 8);
    to[at + i] = pairs & 0xff;
    to[at + i + 1] = (pairs >>> 16) & 0xff;
  }
}
