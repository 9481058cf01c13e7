/** Longest path we answer with: the keys in it were chosen by the client. */
const MAX_PATH = 512;

/** The JSON Pointer (RFC 6901) to where these keys and indices lead; cut short when it is very long. */
export function jsonPointer(tokens: readonly (string | number)[]): string {
  let path = '';
  for (const token of tokens) {
    path += typeof token === 'number' ? `/${token}` : `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (path.length > MAX_PATH) break;
  }
  return shortened(path);
}

/** A pointer no longer than we answer with. */
export function shortened(path: string): string {
  return path.length <= MAX_PATH ? path : `${path.slice(0, MAX_PATH)}…`;
}
