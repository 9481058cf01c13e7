/**
 * Whether arrays and objects are within one another more than so many levels deep, going by brackets outside strings: of a
 * text that is no JSON it may say either. Ends at the first that is too deep.
 */
export function isDeeperThan(maxDepth: number, bytes: Uint8Array): boolean {
  const { length } = bytes;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    // `{` and `}` differ from `[` and `]` in one bit, which no other byte that matters has alone.
    const bracket = (bytes[at] as number) & ~0x20; // at < length
    if (bracket === LEFT) {
      if (++depth > maxDepth) return true;
    } else if (bracket === RIGHT) depth--;
    else if (bytes[at] === QUOTE) {
      at++;
      while (at < length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    }
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{`, or `]` and `}`, without the bit in which they differ. */
const LEFT = 0x5b;
const RIGHT = 0x5d;
