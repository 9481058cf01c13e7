/** Milliseconds on the clock that all processes of a machine share, and that no change of the time of day moves. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
