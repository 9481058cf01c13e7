/**
 * One command as RESP, an array of bulk strings: what is written to a connection that no client library serves.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export function encodeCommand(words: readonly (string | number)[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) {
    const written = String(word);
    text += `$${Buffer.byteLength(written)}\r\n${written}\r\n`;
  }
  return text;
}
