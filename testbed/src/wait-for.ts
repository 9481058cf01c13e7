/** How long a condition that waits for others is left alone between two looks, in milliseconds. */
const LOOK_EVERY_MS = 5;

/**
 * Waits until a condition holds, for things that have no event to wait for. A condition that throws does not hold yet.
 *
 * @throws Error that says `what` was waited for, when it does not hold within `timeoutMs`
 */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, what }: { timeoutMs: number; what: string },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  // In the message, too: the report of a test shows no causes.
  const why = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`waited ${timeoutMs} ms for ${what}, in vain${why}`, { cause: lastError });
}
