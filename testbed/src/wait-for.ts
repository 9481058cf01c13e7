/** How long a condition that waits for others is left alone between two looks, in milliseconds. */
const LOOK_EVERY_MS = 5;
/**
 * So much of the time that passes counts: of the pause between two looks, and of a look. A machine that stands still, or has
 * no time for us, has none for those we wait for either.
 */
const MOST_COUNTED_MS = { pause: 10, look: 1000 };

/**
 * Waits until a condition holds, for things that have no event to wait for. A condition that throws does not hold yet.
 *
 * @throws Error that says `what` was waited for, when it does not hold within `timeoutMs`
 */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, what }: { timeoutMs: number; what: string },
): Promise<void> {
  let leftMs = timeoutMs;
  let lastError: unknown;
  let at = performance.now();
  const count = (mostMs: number): void => {
    const now = performance.now();
    leftMs -= Math.min(now - at, mostMs);
    at = now;
  };
  while (leftMs > 0) {
    try {
      if (await condition()) return;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    count(MOST_COUNTED_MS.look);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    count(MOST_COUNTED_MS.pause);
  }
  // In the message, too: the report of a test shows no causes.
  const why = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`waited ${timeoutMs} ms for ${what}, in vain${why}`, { cause: lastError });
}
