/** Lets so many through in a minute, by windows of a minute. */
export class RateCap {
  private windowEndsAt = Number.NEGATIVE_INFINITY;
  private left = 0;

  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  take(): boolean {
    const now = this.now();
    if (now >= this.windowEndsAt) {
      this.windowEndsAt = now + 60_000;
      this.left = this.perMinute;
    }
    if (this.left === 0) return false;
    this.left--;
    return true;
  }
}
