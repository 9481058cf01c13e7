/** When the clock of the system is so far from ours, it was set, or this machine was suspended. */
const SET_MS = 5;

/**
 * Times of spans: Unix milliseconds with fractions, from a clock that does not go back while a span lasts, and that is set by
 * that of the system from time to time.
 */
export class SpanClock {
  private offsetMs = performance.timeOrigin;
  /** An instant of both clocks: ours, and microseconds of `performance.now()` modulo 2^32. */
  private baseMs = 0;
  private baseMicros = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(everyMs = 10_000) {
    this.timer = setInterval(() => this.set(), everyMs);
    this.timer.unref();
    this.set();
  }

  now(): number {
    return this.offsetMs + performance.now();
  }

  /** The same instant as `(performance.now() * 1000) | 0`, when that was less than half an hour ago. */
  ofMicros(micros: number): number {
    return this.baseMs + ((micros - this.baseMicros) | 0) / 1000;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private set(): void {
    const now = performance.now();
    const offsetMs = Date.now() - now;
    if (Math.abs(offsetMs - this.offsetMs) > SET_MS) this.offsetMs = offsetMs;
    const micros = Math.trunc(now * 1000);
    this.baseMicros = micros | 0;
    this.baseMs = this.offsetMs + micros / 1000;
  }
}
