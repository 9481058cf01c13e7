import { monotonicMs } from '../thread/clock.js';
import type { ThreadBoard } from '../thread/thread-protocol.js';
import { Entry, type Lane } from './entry.js';

/** The entries that this thread holds, with their places on its board. */
export class HeldEntries {
  readonly #board: ThreadBoard;
  readonly #bySlot: (Entry | undefined)[] = [];
  #reserved = 0;

  constructor(board: ThreadBoard) {
    this.#board = board;
  }

  /** How many more entries can be asked for. */
  get freeSlots(): number {
    return this.#board.freeSlots - this.#reserved;
  }

  get empty(): boolean {
    return this.#board.freeSlots === this.#board.capacity;
  }

  /** Sets slots aside for entries that were asked for; given back by `unreserve` before they are held. */
  reserve(slots: number): void {
    this.#reserved += slots;
  }

  unreserve(slots: number): void {
    this.#reserved -= slots;
  }

  /** Takes in an entry that was delivered for the first time. There must be a free slot. */
  hold(lane: Lane, id: string, fields: readonly Buffer[]): Entry {
    return this.holdAgain(lane, id, fields, 1, 0, 0);
  }

  /** Takes in an entry that was handed out before. There must be a free slot. */
  holdAgain(
    lane: Lane,
    id: string,
    fields: readonly Buffer[],
    deliveries: number,
    failed: number,
    crashes: number,
  ): Entry {
    const slot = this.#board.hold(id, lane.index, deliveries, failed, crashes, monotonicMs());
    const entry = new Entry(id, lane, slot, fields, deliveries, failed, crashes);
    this.#bySlot[slot] = entry;
    return entry;
  }

  /** Lets go of an entry after Redis has confirmed what became of it. */
  free(entry: Entry): void {
    this.#bySlot[entry.slot] = undefined;
    this.#board.free(entry.slot);
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const entry of this.#bySlot) if (entry !== undefined) yield entry;
  }
}
