/** How waiting for a place ended. */
export type Turn = 'taken' | 'too late' | 'aborted';

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

  /**
   * Resolves when there is a place, or when it is too late for one; undefined when too many wait already.
   *
   * @param withinMs how long it may be waited for
   * @param signal ends the waiting
   */
  take(withinMs: number, signal: AbortSignal | undefined): Promise<Turn> | undefined {
    if (this.#taken < this.#most) {
      this.#taken++;
      return Promise.resolve('taken');
    }
    if (this.#waiting.length >= this.#mostWaiting) return undefined;
    return new Promise((resolve) => {
      const end = (turn: Turn): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve(turn);
      };
      const giveUp = (turn: Turn): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        end(turn);
      };
      const enter = (): void => end('taken');
      const abort = (): void => giveUp('aborted');
      const timer = setTimeout(() => giveUp('too late'), withinMs);
      this.#waiting.push(enter);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) abort();
    });
  }

  /** Gives a place back; who has waited longest gets it. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next();
  }
}
