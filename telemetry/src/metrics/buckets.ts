/** Seconds from arrival to answer of a request: fine around 1 ms, where the bars of Sluice are. */
export const REQUEST_SECONDS = [
  0.0001, 0.0002, 0.0003, 0.0005, 0.0007, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
  0.5, 1, 2.5, 5, 10,
] as const;

/** Seconds a handler takes, from nothing to do up to the default of `TASK_TIMEOUT` and beyond. */
export const TASK_SECONDS = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
] as const;

/** Seconds from entering the stream to the start of the handler. By the clock of Redis, which counts milliseconds. */
export const WAIT_SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400,
] as const;

/** Seconds by which an event loop is late. */
export const DELAY_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
