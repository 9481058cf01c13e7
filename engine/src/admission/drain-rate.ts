/** Fewer tasks than these may just be under way: they do not show that consumers have as much work as they can do. */
const BUSY_BACKLOG = 10;
/** How far back the mean looks. */
const MEMORY_MS = 10_000;

/**
 * How many tasks a second leave a backlog while it has enough for its consumers to do: their capacity, not what
 * happens to arrive. An exponential mean over some ten seconds, so it follows consumers that come, go or slow down.
 */
export class DrainRate {
  /** Undefined until tasks were seen to leave a backlog that is worth the name. */
  perSecond: number | undefined;
  private left = Number.NaN;
  private backlog = 0;
  private at = 0;

  /**
   * Takes in one look.
   *
   * @param left tasks that have left the backlog since the stream began
   * @param backlog tasks in it
   * @param at when, in milliseconds of a clock that never jumps
   */
  observe(left: number, backlog: number, at: number): void {
    const gone = left - this.left;
    const elapsed = at - this.at;
    const wasBusy = Math.min(backlog, this.backlog) >= BUSY_BACKLOG;
    this.left = left;
    this.backlog = backlog;
    this.at = at;
    if (!wasBusy || !(gone >= 0) || !(elapsed > 0)) return; // fewer than before: the stream is another one
    const now = (gone / elapsed) * 1000;
    if (this.perSecond === undefined) {
      if (gone > 0) this.perSecond = now;
      return;
    }
    this.perSecond += (now - this.perSecond) * (1 - Math.exp(-elapsed / MEMORY_MS));
  }
}
