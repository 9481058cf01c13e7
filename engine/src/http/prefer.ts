const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\uffff]|\\\\[\\t\\x20-\\x7e\\x80-\\uffff])*)"';
const WORD = new RegExp(`[\\t ]*(?:([,;=])|(${TOKEN})|${QUOTED})[\\t ]*`, 'y');

/** A mark between words, or a word. */
interface Part {
  readonly mark: string | undefined;
  readonly token: string | undefined;
  readonly text: string;
}

/**
 * The value of the preference `ack` in a `Prefer` header, in lower case; of several, the first counts. Nothing when it is
 * not among them.
 *
 * @returns undefined when the header is malformed
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-2
 */
export function preferredAck(header: string): { readonly ack: string | undefined } | undefined {
  const parts = partsOf(header);
  if (parts === undefined) return undefined;
  let ack: string | undefined;
  let at = 0;
  /** Takes what may follow a name: `=` and a value. Returns the value, '' for none; undefined when it is malformed. */
  const value = (): string | undefined => {
    if (parts[at]?.mark !== '=') return '';
    at++;
    const word = parts[at++];
    return word === undefined || word.mark !== undefined ? undefined : word.text;
  };
  while (at < parts.length) {
    if (parts[at]?.mark === ',') {
      at++;
      continue;
    }
    const name = parts[at++]?.token;
    const preferred = value();
    if (name === undefined || preferred === undefined) return undefined;
    while (parts[at]?.mark === ';') {
      at++;
      if (parts[at]?.token === undefined) continue;
      at++;
      if (value() === undefined) return undefined;
    }
    if (at < parts.length && parts[at]?.mark !== ',') return undefined;
    if (name.toLowerCase() === 'ack') ack ??= preferred.toLowerCase();
  }
  return { ack };
}

function partsOf(header: string): Part[] | undefined {
  const parts: Part[] = [];
  WORD.lastIndex = 0;
  while (WORD.lastIndex < header.length) {
    const found = WORD.exec(header);
    if (found === null) return undefined;
    const [, mark, token, quoted] = found;
    parts.push({ mark, token, text: token ?? quoted?.replace(/\\(.)/g, '$1') ?? '' });
  }
  return parts;
}
