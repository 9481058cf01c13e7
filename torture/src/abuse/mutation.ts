/** Pieces that mean something to whoever parses a request or JSON. */
const TOKENS = [
  ...['\r\n', '\n', '\r', '\r\n\r\n', ' ', '\t', ':', ',', '"', '\\', '{', '}', '[', ']', '0', '-', 'e9999'],
  ...[
    '\0',
    '\u0001',
    '\x7f',
    '\x80',
    '\xc0\xaf',
    '\xed\xa0\x80',
    '\xff',
    '\\u0000',
    '\\ud800',
    '"__proto__":1,',
  ],
  ...['Host: y\r\n', 'Content-Length: 0\r\n', 'Content-Length: 7\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...[
    'Transfer-Encoding : x\r\n',
    'Content-Type: text/plain\r\n',
    'Expect: 100-continue\r\n',
    'HTTP/1.0',
    '%00',
  ],
].map((token) => Buffer.from(token, 'latin1'));

/** The same bytes with one to three changes: bytes altered, taken out, doubled, or something put in. */
export function mutated(bytes: Buffer, below: (bound: number) => number): Buffer {
  let result = bytes;
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(result.length + 1);
    const end = Math.min(result.length, at + 1 + below(below(8) === 0 ? 60 : 4));
    const [before, part, after] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    switch (below(5)) {
      case 0: // other bytes
        result = Buffer.concat([before, Buffer.from(part.map(() => below(256))), after]);
        break;
      case 1: // one bit
        result = Buffer.concat([
          before,
          Buffer.from(part.map((byte, i) => (i === 0 ? byte ^ (1 << below(8)) : byte))),
          after,
        ]);
        break;
      case 2:
        result = Buffer.concat([before, after]);
        break;
      case 3:
        result = Buffer.concat([before, part, part, after]);
        break;
      default:
        result = Buffer.concat([before, TOKENS[below(TOKENS.length)] as Buffer, part, after]); // below its length
    }
  }
  return result;
}
