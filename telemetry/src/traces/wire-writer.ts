/** Bytes of a message that grows. */
export class WireWriter {
  bytes: Buffer;
  at = 0;

  constructor(private readonly firstBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(firstBytes);
  }

  /** Makes sure that so many bytes can be written; nothing else does. */
  ensure(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }

  /** What was written; the writer begins anew with memory of its own. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.at);
    this.bytes = Buffer.allocUnsafeSlow(this.firstBytes);
    this.at = 0;
    return taken;
  }

  copy(from: Uint8Array, start = 0, length = from.length): void {
    const { bytes, at } = this;
    if (length > LOOP_BYTES && length === from.length) {
      bytes.set(from, at);
      this.at = at + length;
      return;
    }
    for (let i = 0; i < length; i++) bytes[at + i] = from[start + i] as number; // start + length is within it
    this.at = at + length;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** A 64-bit number of so many microseconds times `factor`, lower half first. */
  microseconds(value: number, factor: number): void {
    const low = (value % TWO_32) * factor;
    const high = Math.floor(value / TWO_32) * factor + Math.floor(low / TWO_32);
    this.bytes.writeUInt32LE(low % TWO_32, this.at);
    this.bytes.writeUInt32LE(high % TWO_32, this.at + 4);
    this.at += 8;
  }
}

/** Up to so many bytes a loop costs less than a call into C++. */
const LOOP_BYTES = 48;
const TWO_32 = 2 ** 32;

/** Whole microseconds of a time in milliseconds: what spans are exact to. */
export function microsecondsOf(ms: number): number {
  return Math.round(ms * 1000);
}

/** Values of hexadecimal digits by their character. */
const NIBBLES = Uint8Array.from(
  { length: 128 },
  (_, code) => Number.parseInt(String.fromCharCode(code), 16) || 0,
);

/** Turns hexadecimal digits into `count` bytes. */
export function unhex(from: Uint8Array, start: number, count: number, to: Uint8Array, at: number): void {
  for (let i = 0; i < count; i++) {
    const high = NIBBLES[from[start + 2 * i] as number] as number; // traceparents are ASCII
    const low = NIBBLES[from[start + 2 * i + 1] as number] as number;
    to[at + i] = (high << 4) | low;
  }
}
