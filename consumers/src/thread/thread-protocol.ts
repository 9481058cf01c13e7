/*
 * What a worker thread publishes for the supervisor: which entries it holds, what they are doing, and that it
 * is alive. Shared memory, because the supervisor needs it most when the thread cannot answer any more: in an
 * endless loop, or dead. Nothing per task is ever sent as a message.
 *
 * one SharedArrayBuffer per thread
 * ┌─ head, 64 bytes ──────────┬─ counters, 64 bytes ───────┬─ slot 0 ─┬─ slot 1 ─┬─ … ─┬─ slot n-1 ─┐
 * │ heartbeat  i32            │ read done retried dead     │          │          │     │            │
 * │ current    i32 (slot, -1) │ fenced                 f64 │          │          │     │            │
 * │ memory     f64 (at 8)     │                            │          │          │     │            │
 * └───────────────────────────┴────────────────────────────┴──────────┴──────────┴─────┴────────────┘
 * slot, 88 bytes
 * ┌─ state i32 ─┬─ lane i32 ─┬─ failed i32 ─┬─ crashes i32 ─┬─ held since f64 ─┬─ timeout ms f64 ─┐
 * ├─ id length i32 ─┬─ deliveries i32 ─┬─ id, Latin-1, 48 bytes (the longest id has 41) ───────────┤
 * └─────────────────┴──────────────────┴───────────────────────────────────────────────────────────┘
 *
 *            hold            start             finish                    free
 *     free ───────▶ held ───────▶ running ───────▶ resolved | rejected ───────▶ free
 *                    └────────────────────────────────────▲   (poison is rejected without running)
 *
 * Invariants
 * - Only the thread writes, the supervisor only reads.
 * - `state` is written last when a slot is filled, with Atomics: whoever sees it not free sees the rest of it.
 * - A slot is freed only after Redis has confirmed what became of the entry. So every entry that is pending for
 *   the thread's consumer is in a slot, except between Redis sending it and the thread reading the reply.
 * - The supervisor may read a slot while it is reused. It then sees an id that is not, or no longer, pending for
 *   this consumer; every script it calls leaves such ids alone.
 * - When all slots are taken the thread reads nothing more until outcomes are confirmed.
 */

import type { ConsumerCounters } from '@sluice/telemetry';

const HEAD_BYTES = 64;
const COUNTER_BYTES = 64;
const SLOTS_START = HEAD_BYTES + COUNTER_BYTES;
const SLOT_BYTES = 88;

// Places in the Int32 and Float64 views, relative to the start of a slot.
const STATE = 0;
const LANE = 1;
const FAILED = 2;
const CRASHES = 3;
const HELD_SINCE = 2;
const TIMEOUT = 3;
const ID_LENGTH = 8;
const DELIVERIES = 9;
const ID_BYTES = 40;

// Places in the Int32 view.
const HEARTBEAT = 0;
const CURRENT = 1;
/** In the Float64 view: bytes the thread holds. */
const MEMORY = 1;
const NO_SLOT = -1;

const FREE = 0;
const HELD = 1;
const RUNNING = 2;
const RESOLVED = 3;
const REJECTED = 4;
const STATES = [undefined, 'held', 'running', 'resolved', 'rejected'] as const;

const COUNTERS = ['read', 'done', 'retried', 'dead', 'fenced'] as const;
type Counter = (typeof COUNTERS)[number];

/** A new board with room for this many entries. */
export function newBoard(capacity: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(SLOTS_START + capacity * SLOT_BYTES);
  new Int32Array(buffer)[CURRENT] = NO_SLOT;
  return buffer;
}

/** The thread's side of its board. */
export class ThreadBoard {
  readonly capacity: number;
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #u8: Uint8Array;
  /** A stack of the slots that are free. */
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(buffer: SharedArrayBuffer) {
    this.#i32 = new Int32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#u8 = new Uint8Array(buffer);
    this.capacity = capacityOf(buffer);
    this.#free = Int32Array.from({ length: this.capacity }, (_, i) => this.capacity - 1 - i);
    this.#freeCount = this.capacity;
  }

  /** How many more entries can be held. */
  get freeSlots(): number {
    return this.#freeCount;
  }

  /** Says that the thread's event loop still turns. */
  beat(): void {
    Atomics.add(this.#i32, HEARTBEAT, 1);
  }

  /** Says how many bytes the thread holds: heap and buffers. */
  holdsMemory(bytes: number): void {
    this.#f64[MEMORY] = bytes;
  }

  count(counter: Counter, by: number): void {
    const at = HEAD_BYTES / 8 + COUNTERS.indexOf(counter);
    this.#f64[at] = (this.#f64[at] as number) + by; // within the board
  }

  /** Takes a slot for an entry that was just delivered; the caller has looked at `freeSlots`. */
  hold(id: string, lane: number, deliveries: number, failed: number, crashes: number, now: number): number {
    this.#freeCount -= 1;
    const slot = this.#free[this.#freeCount] as number; // the caller saw that one is free
    const start = SLOTS_START + slot * SLOT_BYTES;
    const i32 = start / 4;
    this.#i32[i32 + LANE] = lane;
    this.#i32[i32 + DELIVERIES] = deliveries;
    this.#i32[i32 + FAILED] = failed;
    this.#i32[i32 + CRASHES] = crashes;
    this.#i32[i32 + ID_LENGTH] = id.length;
    this.#f64[start / 8 + HELD_SINCE] = now;
    this.#f64[start / 8 + TIMEOUT] = 0;
    // A loop: for some 20 characters it costs less than the call into C++ that Buffer.write is.
    for (let i = 0; i < id.length; i++) this.#u8[start + ID_BYTES + i] = id.charCodeAt(i);
    Atomics.store(this.#i32, i32 + STATE, HELD);
    return slot;
  }

  /** The handler of the entry is about to be called. */
  start(slot: number, timeoutMs: number): void {
    const start = SLOTS_START + slot * SLOT_BYTES;
    this.#f64[start / 8 + TIMEOUT] = timeoutMs;
    this.#i32[CURRENT] = slot;
    Atomics.store(this.#i32, start / 4 + STATE, RUNNING);
  }

  /** The handler has returned to us, or to the event loop: no task is known to run in this very moment. */
  returned(): void {
    this.#i32[CURRENT] = NO_SLOT;
  }

  /** The handler is through; what became of the task has yet to be written to Redis. */
  finish(slot: number, resolved: boolean): void {
    Atomics.store(this.#i32, (SLOTS_START + slot * SLOT_BYTES) / 4 + STATE, resolved ? RESOLVED : REJECTED);
  }

  /** Redis has confirmed what became of the entry. */
  free(slot: number): void {
    Atomics.store(this.#i32, (SLOTS_START + slot * SLOT_BYTES) / 4 + STATE, FREE);
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }
}

/** An entry that a thread holds, as the supervisor sees it. */
export interface HeldEntry {
  readonly id: string;
  readonly lane: number;
  readonly state: 'held' | 'running' | 'resolved' | 'rejected';
  /** How often it was handed out, this time included. */
  readonly deliveries: number;
  /** Failed attempts before this run. */
  readonly failed: number;
  /** Crashes before this run. */
  readonly crashes: number;
  /** When the thread was given the entry, on the clock of `monotonicMs`. */
  readonly heldSince: number;
  /** How long its handler may take; 0 while it has not started. */
  readonly timeoutMs: number;
  /** Its handler is being called in this very moment: what blocks the thread, if it is blocked. */
  readonly current: boolean;
}

/** The supervisor's side of a board. */
export class BoardView {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #bytes: Buffer;
  readonly #capacity: number;

  constructor(buffer: SharedArrayBuffer) {
    this.#i32 = new Int32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#bytes = Buffer.from(buffer);
    this.#capacity = capacityOf(buffer);
  }

  /** Changes as long as the thread's event loop turns. */
  get heartbeat(): number {
    return Atomics.load(this.#i32, HEARTBEAT);
  }

  /** Bytes the thread held when it last said so: heap and buffers. */
  get memoryBytes(): number {
    return this.#f64[MEMORY] as number; // within the board
  }

  counters(): ConsumerCounters {
    const at = HEAD_BYTES / 8;
    const value = (i: number) => this.#f64[at + i] as number; // within the board
    return {
      read: value(0),
      done: value(1),
      retried: value(2),
      dead: value(3),
      fenced: value(4),
      running: this.held().filter((entry) => entry.state === 'running').length,
    };
  }

  /** The entries that the thread holds. */
  held(): HeldEntry[] {
    const current = this.#i32[CURRENT];
    const entries: HeldEntry[] = [];
    for (let slot = 0; slot < this.#capacity; slot++) {
      const start = SLOTS_START + slot * SLOT_BYTES;
      const i32 = start / 4;
      const state = STATES[Atomics.load(this.#i32, i32 + STATE)];
      if (state === undefined) continue;
      // The casts: a slot lies within the board.
      const idEnd = start + ID_BYTES + (this.#i32[i32 + ID_LENGTH] as number);
      entries.push({
        id: this.#bytes.toString('latin1', start + ID_BYTES, idEnd),
        lane: this.#i32[i32 + LANE] as number,
        state,
        deliveries: this.#i32[i32 + DELIVERIES] as number,
        failed: this.#i32[i32 + FAILED] as number,
        crashes: this.#i32[i32 + CRASHES] as number,
        heldSince: this.#f64[start / 8 + HELD_SINCE] as number,
        timeoutMs: this.#f64[start / 8 + TIMEOUT] as number,
        current: slot === current,
      });
    }
    return entries;
  }
}

function capacityOf(buffer: SharedArrayBuffer): number {
  return (buffer.byteLength - SLOTS_START) / SLOT_BYTES;
}
