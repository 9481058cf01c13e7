/** Compares two stream entry ids (`milliseconds-sequence`), as `Array.sort` wants it. */
export function compareIds(a: string, b: string): number {
  const dashA = a.indexOf('-');
  const dashB = b.indexOf('-');
  if (dashA !== dashB) return dashA - dashB; // no leading zeros: the longer number is the larger one
  if (a.length === b.length) return a < b ? -1 : a > b ? 1 : 0;
  const ms = a.slice(0, dashA);
  const otherMs = b.slice(0, dashB);
  if (ms !== otherMs) return ms < otherMs ? -1 : 1;
  return a.length - b.length;
}

/** The lowest and the highest of some ids; scripts look up only what lies between. */
export function rangeOf(ids: readonly string[]): { lowest: string; highest: string } {
  let lowest = ids[0] ?? '-';
  let highest = ids[0] ?? '+';
  for (const id of ids) {
    if (compareIds(id, lowest) < 0) lowest = id;
    else if (compareIds(id, highest) > 0) highest = id;
  }
  return { lowest, highest };
}

const DASH = 0x2d;

/** When an entry came into its stream, in Unix milliseconds by the clock of Redis. */
export function millisecondsOf(id: string): number {
  let ms = 0;
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i);
    if (code === DASH) break;
    ms = ms * 10 + code - 0x30;
  }
  return ms;
}
