const BLOCK_BYTES = 64 * 1024;
/** 4 MiB: what Redis has not read yet of one large batch, or of 150 bodies of 27 KB. More than that is left to the garbage collector. */
const SPARE_BLOCKS = 64;
/** Up to here, copying (below 1 µs) is cheaper than lending a block of 64 KiB for as long as Redis takes. */
const COPIED_BYTES = 8 * 1024;
const NO_MARK = -1;

/**
 * The bytes of one write to Redis, collected over one turn of the event loop in blocks that are used again.
 *
 * ```
 *  full blocks, in order          block being filled
 *  [block 64 KiB][block 64 KiB]   [ filled | free ]
 *                                          ▲ at
 * ```
 *
 * Whatever is put in is copied: the memory uWebSockets.js hands to `onData` is gone when the callback returns. A large
 * payload goes through as many blocks as it needs: memory of its own for each is memory outside of the heap, and V8 looks
 * through all of the heap after some 30 MB of that (decision 0012, choice 8).
 */
export class AppendBuffer {
  private chunks: Buffer[] = [];
  private lent: Buffer[] = [];
  /** What {@link claim} made room in. */
  block: Buffer;
  private start = 0;
  private at = 0;
  private readonly spare: Buffer[] = [];
  // Where the mark is: numbers, as it is set for each task.
  private markedChunks = 0;
  private markedLent = 0;
  private markedStart = 0;
  private markedAt = NO_MARK;

  constructor() {
    this.block = this.takeBlock();
  }

  /** Remembers this place, and no longer the one before. */
  mark(): void {
    this.markedChunks = this.chunks.length;
    this.markedLent = this.lent.length;
    this.markedStart = this.start;
    this.markedAt = this.at;
  }

  /** Takes out again all that was added since {@link mark}. Returns whether that can be: the mark is used up by it, and by {@link take}. */
  backToMark(): boolean {
    if (this.markedAt === NO_MARK) return false;
    while (this.lent.length > this.markedLent) {
      if (this.spare.length < SPARE_BLOCKS) this.spare.push(this.block);
      this.block = this.lent.pop() as Buffer; // there is one: it is longer than it was
    }
    this.chunks.length = this.markedChunks;
    this.start = this.markedStart;
    this.at = this.markedAt;
    this.markedAt = NO_MARK;
    return true;
  }

  /** Adds text of which every character is one byte (latin1). At most 16 KiB. */
  text(text: string): void {
    if (this.at + text.length > BLOCK_BYTES) this.nextBlock();
    this.at += this.block.write(text, this.at, 'latin1');
  }

  /** Adds room in one piece, which the caller fills: from the offset returned on, in {@link block}. At most 16 KiB. */
  claim(length: number): number {
    if (this.at + length > BLOCK_BYTES) this.nextBlock();
    const start = this.at;
    this.at += length;
    return start;
  }

  /** Adds bytes. */
  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.at + length <= BLOCK_BYTES) {
      this.block.set(bytes, this.at);
      this.at += length;
    } else this.manyBytes(bytes);
  }

  /** Adds bytes that are more than the block has room for. */
  private manyBytes(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      if (this.at === BLOCK_BYTES) this.nextBlock();
      const part = bytes.subarray(from, from + BLOCK_BYTES - this.at);
      this.block.set(part, this.at);
      this.at += part.length;
      from += part.length;
    }
  }

  /** Hands out all that was collected, and starts anew. Call `release` when the chunks have been sent. */
  take(): { chunks: Buffer[]; release: () => void } {
    this.markedAt = NO_MARK;
    if (this.chunks.length === 0 && this.at <= COPIED_BYTES) return this.takeCopy();
    this.closeChunk();
    const chunks = this.chunks;
    const lent = this.lent;
    lent.push(this.block);
    this.chunks = [];
    this.lent = [];
    this.block = this.takeBlock();
    this.start = 0;
    this.at = 0;
    return {
      chunks,
      release: () => {
        for (const block of lent) if (this.spare.length < SPARE_BLOCKS) this.spare.push(block);
      },
    };
  }

  /** A few tasks do not tie up a whole block: while Redis does not take anything, that would add up. */
  private takeCopy(): { chunks: Buffer[]; release: () => void } {
    const copy = Buffer.from(this.block.subarray(0, this.at));
    this.at = 0;
    return { chunks: [copy], release: () => {} };
  }

  private closeChunk(): void {
    if (this.at > this.start) this.chunks.push(this.block.subarray(this.start, this.at));
    this.start = this.at;
  }

  private nextBlock(): void {
    this.closeChunk();
    this.lent.push(this.block);
    this.block = this.takeBlock();
    this.start = 0;
    this.at = 0;
  }

  private takeBlock(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }
}
