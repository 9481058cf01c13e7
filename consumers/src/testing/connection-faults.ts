import { SluiceError } from '@sluice/contract';
import type { VirtualClock } from './virtual-clock.js';

/** How long outcomes that were refused wait before they are tried again, as with a real Redis. */
const REFUSED_PAUSE_MS = 200;

/** The connection to the Redis that is not there, and what can go wrong with it. */
export class ConnectionFaults {
  readonly #clock: VirtualClock;
  #away = false;
  #refusals = 0;
  #refusal = '';
  #repliesToLose = 0;
  #waiting: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  get away(): boolean {
    return this.#away;
  }

  /** Nothing can be read or written, for this time or until `comeBack`. */
  goAway(forMs: number | undefined): void {
    this.#away = true;
    if (forMs !== undefined) this.#clock.in(forMs, () => this.comeBack());
  }

  comeBack(): void {
    this.#away = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The next writes are refused, with this message, and do nothing. */
  refuse(times: number, message: string): void {
    this.#refusals = checked(times);
    this.#refusal = message;
  }

  /** The next writes are done, but whoever asked for them is not told. */
  loseReplies(times: number): void {
    this.#repliesToLose = checked(times);
  }

  /** Writes something, if nothing is wrong. */
  write<T>(write: () => T): T {
    if (this.#away) throw new Error('connection closed');
    if (this.#refusals > 0) {
      this.#refusals -= 1;
      throw new Error(this.#refusal);
    }
    const reply = write();
    if (this.#repliesToLose > 0) {
      this.#repliesToLose -= 1;
      throw new Error('connection closed before the reply came');
    }
    return reply;
  }

  /** Resolves when a write is worth trying again. */
  untilWorthTrying(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#away) this.#waiting.push(resolve);
      else this.#clock.in(REFUSED_PAUSE_MS, resolve);
    });
  }
}

function checked(times: number): number {
  if (Number.isInteger(times) && times >= 0) return times;
  throw new SluiceError('INVALID_OPTIONS', `times is ${times}; allowed: a whole number from 0`);
}
