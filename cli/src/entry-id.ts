/** Whether the entry with the first id was appended before the one with the second. Ids are `<ms>-<sequence>`. */
export function isBefore(one: string, other: string): boolean {
  const [ms, sequence] = parts(one);
  const [otherMs, otherSequence] = parts(other);
  return ms === otherMs ? sequence < otherSequence : ms < otherMs;
}

/** When an entry was appended, in Redis milliseconds. */
export function timeOf(id: string): number {
  return Number(id.split('-', 1)[0]);
}

/** Both are 64-bit numbers, which a JavaScript number does not hold. */
function parts(id: string): [bigint, bigint] {
  const [ms = '0', sequence = '0'] = id.split('-');
  return [BigInt(ms), BigInt(sequence)];
}
