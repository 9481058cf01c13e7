import { randomFillSync } from 'node:crypto';

const PORTIONS = 512;

/** Random bytes in portions of one size: one system call for 512 of them. */
export class RandomPool {
  readonly bytes: Buffer;
  private used: number;

  constructor(private readonly portion: number) {
    this.bytes = Buffer.allocUnsafeSlow(portion * PORTIONS);
    this.used = this.bytes.length;
  }

  /** Where in `bytes` the next portion starts. It is the caller's until the next call. */
  take(): number {
    if (this.used === this.bytes.length) {
      randomFillSync(this.bytes);
      this.used = 0;
    }
    const start = this.used;
    this.used += this.portion;
    return start;
  }
}

/** The two hexadecimal digits of each byte, the first one in the lower half. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high = '', low = ''] = byte.toString(16).padStart(2, '0');
  return high.charCodeAt(0) | (low.charCodeAt(0) << 8);
});

/** Writes `count` bytes as hexadecimal digits. A loop: a call into C++ costs more than 16 of its turns. */
export function writeHex(from: Buffer, start: number, count: number, to: Uint8Array, at: number): void {
  for (let i = 0; i < count; i++) {
    const digits = DIGITS[from[start + i] as number] as number; // the table has an entry for each byte
    to[at + 2 * i] = digits & 0xff;
    to[at + 2 * i + 1] = digits >> 8;
  }
}
