/** Lets so many do something at once, and so many more wait; beyond, nobody. */
export class Places {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Resolves when there is a place; undefined when too many wait for one already. */
  take(): Promise<void> | undefined {
    if (this.#taken < this.#most) {
      this.#taken++;
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#mostWaiting) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a place back; who has waited longest gets it. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next();
  }
}
