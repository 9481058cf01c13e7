/** What the tasks of one read may take of a thread's time before it looks after anything else. */
const BUDGET_MS = 50;

/**
 * How many tasks a thread reads at once. Tasks that keep the CPU busy (an image being resized) run one after the
 * other however many may run at once, so a thread must not take a hundred of them that others could be doing.
 * Starts with one, doubles as long as the tasks turn out to be quick, and drops to what fits the budget when not.
 */
export class ReadQuota {
  readonly #most: number;
  #quota = 1;

  constructor(most: number) {
    this.#most = most;
  }

  get current(): number {
    return this.#quota;
  }

  /** Takes note of how long the thread was kept busy by starting this many tasks. */
  observe(tasks: number, busyMs: number): void {
    if (tasks === 0) return;
    const fits = busyMs <= 0 ? this.#most : Math.floor((tasks * BUDGET_MS) / busyMs);
    this.#quota = Math.max(1, Math.min(this.#most, fits, this.#quota * 2));
  }
}
