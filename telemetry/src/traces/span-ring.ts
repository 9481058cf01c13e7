/**
 * A ring of records of one size in shared memory: one thread writes, another reads, neither waits for the other.
 *
 * ```
 *  records   · · R R R R R · · ·        R written and not read yet
 *                ▲         ▲
 *               tail      head          both only grow (modulo 2^32); a slot is number & (slots - 1)
 * ```
 *
 * Between calls: the slots from tail up to head belong to the reader, all others to the writer. Nothing that was written
 * is ever overwritten before it was read: when all slots are full, a record is not taken, and that is counted.
 */
export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  /** A power of two. */
  readonly slots: number;
  /** Bytes of a record, a multiple of 8. */
  readonly slotBytes: number;
}

const HEAD = 0;
const TAIL = 1;
const DROPPED = 2;
/** Bytes before the records; the writer and the reader have a line of the cache of their own. */
const CONTROL_BYTES = 256;
const CONTROL_STEP = 64 / Int32Array.BYTES_PER_ELEMENT;

/** Memory of a ring. Only what is used of it becomes resident. */
export function ringMemory(slots: number, slotBytes: number): RingMemory {
  return { buffer: new SharedArrayBuffer(CONTROL_BYTES + slots * slotBytes), slots, slotBytes };
}

/** The records of a ring by their width. A record starts at `at` in `bytes`, and at `at / 8` in `floats`. */
class RingRecords {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly floats: Float64Array;
  protected readonly control: Int32Array;

  constructor(protected readonly memory: RingMemory) {
    const { buffer } = memory;
    this.control = new Int32Array(buffer, 0, CONTROL_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.bytes = Buffer.from(buffer, CONTROL_BYTES);
    this.words = new Uint32Array(buffer, CONTROL_BYTES);
    this.floats = new Float64Array(buffer, CONTROL_BYTES);
  }

  /** Records that wait to be read. */
  get waiting(): number {
    const tail = Atomics.load(this.control, TAIL * CONTROL_STEP);
    return (Atomics.load(this.control, HEAD * CONTROL_STEP) - tail) | 0;
  }

  /** Records that did not find room, modulo 2^32. */
  get dropped(): number {
    return Atomics.load(this.control, DROPPED * CONTROL_STEP) >>> 0;
  }
}

/** The end of a ring that is written to. A ring may be given to another writer once the one before is gone. */
export class RingWriter extends RingRecords {
  private head = Atomics.load(this.control, HEAD * CONTROL_STEP);
  /** As it was when the ring was full last, or at first; the reader may have come further. */
  private knownTail = Atomics.load(this.control, TAIL * CONTROL_STEP);

  /** Where the next record is to be written; -1 when there is no room, which is counted. */
  claim(): number {
    if (((this.head - this.knownTail) | 0) === this.memory.slots) {
      this.knownTail = Atomics.load(this.control, TAIL * CONTROL_STEP);
      if (((this.head - this.knownTail) | 0) === this.memory.slots) {
        Atomics.add(this.control, DROPPED * CONTROL_STEP, 1);
        return -1;
      }
    }
    return (this.head & (this.memory.slots - 1)) * this.memory.slotBytes;
  }

  /** Hands the claimed record to the reader. */
  publish(): void {
    this.head = (this.head + 1) | 0;
    Atomics.store(this.control, HEAD * CONTROL_STEP, this.head);
  }
}

/** The end of a ring that is read from. */
export class RingReader extends RingRecords {
  private tail = Atomics.load(this.control, TAIL * CONTROL_STEP);

  /**
   * Reads at most so many records, the oldest first. Their slots are given back when all were read: `each` may keep
   * nothing of them. Returns how many there were.
   */
  read(most: number, each: (at: number) => void): number {
    const count = Math.min(most, this.waiting);
    for (let i = 0; i < count; i++) {
      each(((this.tail + i) & (this.memory.slots - 1)) * this.memory.slotBytes);
    }
    this.tail = (this.tail + count) | 0;
    Atomics.store(this.control, TAIL * CONTROL_STEP, this.tail);
    return count;
  }
}
