/** An origin as browsers send it: scheme, host, port where it is not the usual one, and nothing else. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._:[\]-]+$/;
const MOST_ORIGINS = 1000;

/**
 * The origins in a list with commas between, or `*`; nothing for an empty text.
 *
 * @returns `'wrong'` when one of them is no origin, or `*` is not alone
 */
export function parseOrigins(text: string): '*' | readonly string[] | undefined | 'wrong' {
  const origins = text.split(',').map((origin) => origin.trim());
  if (origins.length === 1 && origins[0] === '') return undefined;
  if (origins.length === 1 && origins[0] === '*') return '*';
  return origins.length <= MOST_ORIGINS && origins.every(isOrigin) ? origins : 'wrong';
}

function isOrigin(text: string): boolean {
  if (!ORIGIN.test(text) || !URL.canParse(text)) return false;
  const { origin } = new URL(text);
  // Of schemes such as capacitor:// and chrome-extension:// a URL does not tell the origin; browsers send it all the same.
  return origin === 'null' || origin === text;
}
