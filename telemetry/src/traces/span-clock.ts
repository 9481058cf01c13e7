/** When the clock of the system is so far from ours, it was set, or this machine was suspended. */
const SET_MS = 5;

/**
 * Times of spans: Unix milliseconds with fractions, from a clock that does not go back while a span lasts, and that is set by
 * that of the system from time to time.
 */
export class SpanClock {
  private offsetMs = performance.timeOrigin;
  private readonly timer: NodeJS.Timeout;

  constructor(everyMs = 10_000) {
    this.timer = setInterval(() => this.set(), everyMs);
    this.timer.unref();
    this.set();
  }

  now(): number {
    return this.offsetMs + performance.now();
  }

  /** The same instant as one of `performance.now()`. */
  at(performanceMs: number): number {
    return this.offsetMs + performanceMs;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private set(): void {
    const offsetMs = Date.now() - performance.now();
    if (Math.abs(offsetMs - this.offsetMs) > SET_MS) this.offsetMs = offsetMs;
  }
}
