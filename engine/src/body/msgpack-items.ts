import { SluiceError } from '@sluice/contract';
import { BatchItems, tooManyItems } from './batch-items.js';

/** The items of a msgpack array. All of its bytes are in values that are whole, or it is refused as a whole. */
export class MsgpackItems extends BatchItems {
  readonly contentType = 'application/msgpack';
  private at = 0;
  /** How many items its header says there are; -1 before that was read. */
  private total = -1;

  findNext(): void {
    if (this.total === -1) this.enter();
    if (this.count === this.total) {
      if (this.at !== this.body.length) throw brokenAt(this.at);
      this.isComplete = true;
      return;
    }
    const end = msgpackValueEnd(this.body, this.at);
    if (end < 0) throw brokenAt(~end);
    this.add(this.at, end, false);
    this.at = end;
  }

  private enter(): void {
    const { body } = this;
    const token = body[0] ?? NEVER_USED;
    if (token >= 0x90 && token <= 0x9f) {
      this.total = token & 0x0f;
      this.at = 1;
    } else if (token === 0xdc && body.length >= 3) {
      this.total = body.readUInt16BE(1);
      this.at = 3;
    } else if (token === 0xdd && body.length >= 5) {
      this.total = body.readUInt32BE(1);
      this.at = 5;
    } else throw new SluiceError('INVALID_MSGPACK', 'the body is not a msgpack array of tasks');
    if (this.total > this.rules.maxItems) throw tooManyItems(this.rules);
  }
}

/**
 * Where the msgpack value ends that starts at an offset, whatever it holds; or the complement (`~`) of the offset at
 * which one begins that is cut short or none. A count of values to come, rather than calls within calls: any depth will do.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
function msgpackValueEnd(bytes: Buffer, start: number): number {
  let at = start;
  for (let due = 1; due > 0; due--) {
    const valueAt = at;
    const token = bytes[at++];
    if (token === undefined || token === NEVER_USED) return ~valueAt;
    if (token < 0x80 || token >= 0xe0) continue;
    if (token < 0x90) due += 2 * (token & 0x0f);
    else if (token < 0xa0) due += token & 0x0f;
    else if (token < 0xc0) at += token & 0x1f;
    else {
      const fixed = FIXED_LENGTHS[token - 0xc0] as number; // one for each token up to 0xdf
      if (fixed >= 0) at += fixed;
      else {
        const digits = -fixed;
        if (at + digits > bytes.length) return ~valueAt;
        const length = bytes.readUIntBE(at, digits);
        at += digits;
        if (token >= 0xde) due += 2 * length;
        else if (token >= 0xdc) due += length;
        else at += length + (token >= 0xc7 && token <= 0xc9 ? 1 : 0); // an extension has a type byte
      }
    }
    if (at > bytes.length) return ~valueAt;
  }
  return at;
}

function brokenAt(at: number): SluiceError {
  return new SluiceError(
    'INVALID_MSGPACK',
    `the batch is not msgpack that we take: byte ${at} begins no value of it that is whole; nothing of it was stored`,
  );
}

const NEVER_USED = 0xc1;

/** For tokens from 0xc0: how many bytes follow; negative: of how many bytes the length is that follows. */
const FIXED_LENGTHS = [
  0, 0, 0, 0, -1, -2, -4, -1, -2, -4, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, -1, -2, -4, -2, -4, -2,
  -4,
];
