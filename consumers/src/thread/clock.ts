// performance.now() counts from the start of its own thread; this offset puts all threads on one clock.
const [seconds, nanoseconds] = process.hrtime();
const offset = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

/** Milliseconds of a clock that never jumps and that all threads of the process share. */
export function monotonicMs(): number {
  return performance.now() + offset;
}
