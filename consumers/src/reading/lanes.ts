import { type Entry, isKeptForDue, type Lane } from './entry.js';

/** What to ask Redis for next. */
export interface ReadPlan {
  readonly lanes: readonly Lane[];
  /** Most entries of each lane. */
  readonly count: number;
  /** Whether to wait when there is nothing. Only when every lane with room is asked. */
  readonly block: boolean;
}

/**
 * The lanes of a thread, and who is next.
 *
 * Every lane gets its turn, and while a lane runs nothing a place is kept free for it: a type whose tasks hang
 * cannot take all places. (At most a quarter of the places is kept so; with few places they would stay empty.)
 */
export class Lanes {
  readonly all: readonly Lane[];
  readonly #limit: number;
  #running = 0;
  #waiting = 0;
  #turn = 0;
  #readTurn = 0;
  /** Lanes that run nothing. */
  #idle: number;

  /** @param limit most tasks that run at once in this thread */
  constructor(lanes: readonly Lane[], limit: number) {
    this.all = lanes;
    this.#limit = limit;
    this.#idle = lanes.length;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  add(entry: Entry): void {
    entry.lane.waiting.push(entry);
    this.#waiting += 1;
  }

  /** The entry to start next, counted as running from now on; nothing when there is none or no room. */
  next(): Entry | undefined {
    if (this.#waiting === 0 || this.#running >= this.#limit) return undefined;
    for (let i = 0; i < this.all.length; i++) {
      const lane = this.all[this.#turn] as Lane; // #turn stays below the length
      this.#turn = this.#turn + 1 < this.all.length ? this.#turn + 1 : 0;
      if (lane.waiting.length === 0 || this.#placesFor(lane) <= 0) continue;
      const entry = lane.waiting.shift() as Entry; // not empty
      this.#waiting -= 1;
      if (lane.running === 0) this.#idle -= 1;
      lane.running += 1;
      this.#running += 1;
      return entry;
    }
    return undefined;
  }

  /** The task of an entry that `next` gave out is through. */
  finished(lane: Lane): void {
    lane.running -= 1;
    this.#running -= 1;
    if (lane.running === 0) this.#idle += 1;
  }

  /** Takes out an entry if it waits; returns whether it did. */
  takeOut(entry: Entry): boolean {
    const place = entry.lane.waiting.indexOf(entry);
    if (place === -1) return false;
    entry.lane.waiting.splice(place, 1);
    this.#waiting -= 1;
    return true;
  }

  /** Takes out everything that waits in these lanes. */
  takeWaiting(lanes: readonly Lane[] = this.all): Entry[] {
    const taken = lanes.flatMap((lane) => lane.waiting.splice(0));
    this.#waiting -= taken.length;
    return taken;
  }

  /** How many more entries of this lane could be started at once. */
  roomFor(lane: Lane): number {
    return this.#placesFor(lane) - lane.waiting.length;
  }

  /**
   * What to read next; nothing when there is no room.
   *
   * COUNT is the same for all streams of a command, so a lane with little room would hold the others back. Lanes
   * that gave as many as was asked for are therefore asked again on their own, every other turn.
   *
   * @param most entries to ask for at most, of each lane
   * @param freeSlots entries that can be held besides those held now
   * @param now by performance.now()
   */
  plan(most: number, freeSlots: number, now: number): ReadPlan | undefined {
    const open = this.all.filter(
      (lane) => lane.unreadableUntil <= now && !lane.served && this.roomFor(lane) > 0 && !isKeptForDue(lane),
    );
    if (open.length === 0 || freeSlots < open.length || this.#running + this.#waiting >= this.#limit) {
      return undefined;
    }
    this.#readTurn = 1 - this.#readTurn;
    const full = this.#readTurn === 1 ? open.filter((lane) => lane.mayHaveMore) : [];
    const alone = full.length > 0 && full.length < open.length;
    const lanes = alone ? full : open;
    const free = Math.min(freeSlots, this.#limit - this.#running - this.#waiting);
    const room = Math.min(...lanes.map((lane) => this.roomFor(lane)), Math.floor(free / lanes.length));
    return { lanes, count: Math.max(1, Math.min(most, room)), block: !alone };
  }

  /** Places that this lane may still take. */
  #placesFor(lane: Lane): number {
    const kept = lane.running === 0 ? 0 : Math.min(this.#idle, this.#limit >> 2);
    return Math.min(lane.limit - lane.running, this.#limit - this.#running - kept);
  }
}
