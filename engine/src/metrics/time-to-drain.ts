/** A rate is told from at least so much time and so many tasks, if there have been as many. */
const LEAST_MS = 10_000;
const LEAST_TASKS = 10;
/** How far back is looked for them; time in which nothing waited does not count. */
const MOST_LOOKS = 600;

/** One look, with all that had been before it. */
interface Look {
  /** Milliseconds in which tasks waited. */
  readonly busyMs: number;
  /** Tasks that left meanwhile. */
  readonly gone: number;
}

/**
 * How long it takes until the tasks that wait are worked off: their number, divided by the rate at which tasks have left
 * while there were any. For a light load that is the time a task spends in the system (Little's law), for a backlog the
 * time until it is gone.
 *
 * What scales consumers by it must never see 0 while a task waits, or it would not start the first one; nor infinity,
 * which KEDA takes for an error. So, where nothing leaves, it is at least the time for which nothing has: it starts with
 * the first look that sees a task, at {@link LEAST_SECONDS}, and rises by a second each second.
 */
export class TimeToDrain {
  private readonly looks: Look[] = [{ busyMs: 0, gone: 0 }];
  private left = Number.NaN;
  private waiting = 0;
  private at = 0;
  /** Milliseconds in which tasks waited and none left, up to the last look. */
  private stalledMs = 0;

  /**
   * Takes in a look.
   *
   * @param waiting tasks that could be worked off now
   * @param left tasks that were worked off since the stream began
   * @param at when, in milliseconds of a clock that never jumps
   */
  observe(waiting: number, left: number, at: number): void {
    const gone = left - this.left;
    const elapsed = at - this.at;
    const hasWaited = this.waiting > 0 || gone > 0;
    const isNew = !(gone >= 0) || !(elapsed > 0); // the first look, or the stream is another one
    this.left = left;
    this.waiting = waiting;
    this.at = at;
    this.stalledMs = isNew || gone > 0 || !hasWaited ? 0 : this.stalledMs + elapsed;
    if (isNew || !hasWaited) return;
    const last = this.looks.at(-1) as Look; // never empty
    this.looks.push({ busyMs: last.busyMs + elapsed, gone: last.gone + gone });
    if (this.looks.length > MOST_LOOKS) this.looks.shift();
  }

  /** Tasks a second that leave while any wait; undefined while none was seen to. */
  get perSecond(): number | undefined {
    const last = this.looks.at(-1) as Look; // never empty
    let from = last;
    for (let i = this.looks.length - 1; i >= 0; i--) {
      from = this.looks[i] as Look; // within the list
      if (last.busyMs - from.busyMs >= LEAST_MS && last.gone - from.gone >= LEAST_TASKS) break;
    }
    const gone = last.gone - from.gone;
    return gone === 0 ? undefined : (gone / (last.busyMs - from.busyMs)) * 1000;
  }

  get seconds(): number {
    if (this.waiting === 0) return 0;
    const { perSecond } = this;
    const stalled = this.stalledMs / 1000;
    if (perSecond === undefined) return Math.max(LEAST_SECONDS, stalled);
    return Math.max(this.waiting / perSecond, stalled);
  }
}

/** What is said of tasks that have only just come, while nothing is known of their consumers. */
const LEAST_SECONDS = 1;
