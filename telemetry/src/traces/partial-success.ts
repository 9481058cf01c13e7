const LENGTH = 2;
const NUMBER = 0;

/**
 * How many spans an answer of OTLP says were rejected: `partial_success` (1) has `rejected_spans` (1). An answer that cannot
 * be read says nothing.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export function rejectedSpans(answer: Uint8Array): number {
  const partial = fieldOf(answer, 1);
  if (!(partial instanceof Uint8Array)) return 0;
  const rejected = fieldOf(partial, 1);
  return typeof rejected === 'number' ? rejected : 0;
}

/** The last field of this number in a message; undefined when there is none, or the message is broken. */
function fieldOf(message: Uint8Array, wanted: number): number | Uint8Array | undefined {
  let found: number | Uint8Array | undefined;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < message.length; factor *= 128) {
      const byte = message[at++] as number; // within it
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < message.length) {
    const tag = varint();
    const kind = tag & 7;
    const value = varint();
    if (Number.isNaN(value) || (kind !== NUMBER && kind !== LENGTH)) return found;
    if (kind === LENGTH) at += value;
    if (tag >> 3 === wanted) found = kind === NUMBER ? value : message.subarray(at - value, at);
  }
  return found;
}
