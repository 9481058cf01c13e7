/** Most characters of an idempotency key. */
export const MAX_KEY_LENGTH = 255;

const PLAIN = /^[\x20\x21\x23-\x2b\x2d-\x7e]+$/;
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The key that the value of an `Idempotency-Key` header states; undefined when it states none. Taken are a quoted string,
 * as the draft asks for (an RFC 8941 string without parameters), and the same characters without quotes, as most clients
 * send them: both are the same key. Unquoted, a comma is refused, since a proxy may have joined two headers.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function parseIdempotencyKey(value: string): string | undefined {
  const key = PLAIN.test(value) ? value : QUOTED.exec(value)?.[1]?.replace(/\\(.)/g, '$1');
  return key !== undefined && key.length > 0 && key.length <= MAX_KEY_LENGTH ? key : undefined;
}
