interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that stands still until it is moved. Milliseconds since 1970. */
export class VirtualClock {
  #now: number;
  #timers: Timer[] = [];

  constructor(startsAt: number) {
    this.#now = startsAt;
  }

  get now(): number {
    return this.#now;
  }

  /** When the next timer is due. */
  get nextAt(): number | undefined {
    return this.#timers[0]?.at;
  }

  /** Has something done after this time. */
  in(ms: number, run: () => void): void {
    this.#timers.push({ at: this.#now + ms, run });
    this.#timers.sort((a, b) => a.at - b.at); // stable: of one moment, the first set is the first to run
  }

  /** Moves on, never back, and runs the timers that are due by then. */
  moveTo(at: number): void {
    this.#now = Math.max(this.#now, at);
    for (let timer = this.#timers[0]; timer !== undefined && timer.at <= this.#now; timer = this.#timers[0]) {
      this.#timers.shift();
      timer.run();
    }
  }
}
