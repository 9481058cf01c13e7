const FIRST_MS = 100;
const MOST_MS = 10_000;

/** Statuses with which nothing is wrong with the request; later it may be taken. */
export const RETRIED: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

/**
 * How long to wait before the next attempt: twice as long each time, from 0.1 to 10 s, and somewhere between half of that
 * and all of it, so that clients that were refused together do not come back together; and no shorter than the server
 * asked for.
 *
 * @param attempts made so far, from 1
 * @param retryAfterMs from the answer; 0 when it said nothing
 * @param random from 0 up to 1
 */
export function backOffMs(attempts: number, retryAfterMs: number, random: number): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** (attempts - 1));
  const spread = most / 2 + (most / 2) * random;
  return retryAfterMs === 0 ? spread : retryAfterMs + spread / 2;
}

/** Milliseconds that a `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3); 0 when it cannot be read. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}
