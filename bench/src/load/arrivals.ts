/**
 * The arrivals of a load at a constant rate: request `n` is due at a time fixed in advance, whatever became of
 * those before it. Times are milliseconds on the clock of `start`.
 */
export class Arrivals {
  /** Requests of the whole load, warm-up included. */
  readonly total: number;
  /** Number of the first request that is measured. */
  readonly firstMeasured: number;

  /** @throws RangeError when the load would have no measured request */
  constructor(
    private readonly start: number,
    private readonly ratePerSecond: number,
    warmUpSeconds: number,
    seconds: number,
  ) {
    this.firstMeasured = Math.round(ratePerSecond * warmUpSeconds);
    this.total = this.firstMeasured + Math.round(ratePerSecond * seconds);
    if (!(this.total > this.firstMeasured)) {
      throw new RangeError(`a load of ${ratePerSecond}/s for ${seconds} s has no request to measure`);
    }
  }

  /** When a request is due. Multiplied, not added up: a million rounding errors would shift the last ones. */
  dueAt(n: number): number {
    return this.start + (n * 1000) / this.ratePerSecond;
  }
}
