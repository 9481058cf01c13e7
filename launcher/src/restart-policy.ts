const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 5000;
/** A program that has served for so long did not die of how it was started: it is replaced however often it dies. */
const STABLE_AFTER_MS = 1000;
const GIVE_UP_AFTER_DEATHS = 8;

/** When a program that died is started again: at once at first, ever later while it keeps dying, at last never. */
export class RestartPolicy {
  private deathsInARow = 0;

  /**
   * Counts a death.
   *
   * @param servedMs how long the program had served, 0 if it never did
   * @returns in how many milliseconds to start it again; nothing if it keeps dying at its start
   */
  afterDeath(servedMs: number): number | undefined {
    this.deathsInARow = servedMs >= STABLE_AFTER_MS ? 1 : this.deathsInARow + 1;
    if (this.deathsInARow >= GIVE_UP_AFTER_DEATHS) return undefined;
    return Math.min(FIRST_RESTART_MS * 2 ** (this.deathsInARow - 1), LAST_RESTART_MS);
  }
}
