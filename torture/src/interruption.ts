/** Set once a signal has come: what fails after that fails because what it worked on was taken away. */
export const interruption = { hasCome: false };

/** Ends all that was started when a signal comes, and then this process. Without it, processes and files would stay. */
export function endOnSignal(endAll: () => Promise<unknown>): void {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      interruption.hasCome = true;
      process.stderr.write('interrupted: ending all that was started\n');
      void endAll().finally(() => process.exit(exitCode));
    });
  }
}
