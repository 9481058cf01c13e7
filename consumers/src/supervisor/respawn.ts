/** Deaths in a row, without a task in hand, after which threads are not replaced any more. */
const GIVE_UP_AFTER = 5;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2000;
/** A thread that lived this long was healthy: what came before is forgotten. */
const HEALTHY_MS = 30_000;

/** What the death of a thread looked like. */
export interface Death {
  readonly livedMs: number;
  /** Entries it held. A task that brings threads down goes to the dead-letter stream soon enough. */
  readonly held: number;
}

/**
 * How long to wait before a dead thread is replaced, and when to stop doing so: threads that die while nothing
 * runs will go on dying, and a process that does nothing else is better ended, for someone to see it.
 */
export class RespawnPolicy {
  #deaths = 0;
  #idleDeaths = 0;

  /** Milliseconds to wait before the replacement is started; nothing when it is time to give up. */
  afterDeath({ livedMs, held }: Death): number | undefined {
    if (livedMs >= HEALTHY_MS) {
      this.#deaths = 0;
      this.#idleDeaths = 0;
    }
    this.#idleDeaths = held > 0 ? 0 : this.#idleDeaths + 1;
    if (this.#idleDeaths >= GIVE_UP_AFTER) return undefined;
    this.#deaths += 1;
    return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#deaths - 1));
  }
}
