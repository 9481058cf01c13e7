const WINDOW_MS = 250;

/**
 * The longest stretch, in milliseconds, during which less than half as many tasks ended as came in. Looked at in
 * windows of a quarter of a second, from the second one that tasks came in to the last.
 */
export function longestSlump(arrivals: readonly number[], ends: readonly number[]): number {
  const first = Math.min(...arrivals);
  const windowOf = (at: number) => Math.floor((at - first) / WINDOW_MS);
  const windows = windowOf(Math.max(...arrivals));
  const perWindow = arrivals.length / Math.max(1, windows);
  const ended = new Array<number>(windows).fill(0);
  for (const at of ends) {
    const window = windowOf(at);
    if (window >= 0 && window < windows) ended[window] = (ended[window] ?? 0) + 1;
  }
  let longest = 0;
  let current = 0;
  for (const count of ended.slice(1)) {
    current = count < perWindow / 2 ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return longest * WINDOW_MS;
}
