/** The longest time that timers take, in seconds: some 24 days. A longer one would be over at once. */
const LONGEST_SECONDS = 2_147_483;

const SECONDS = {
  fits: (value: number) => value > 0 && value <= LONGEST_SECONDS,
  allowed: `a number above 0, at most ${LONGEST_SECONDS}`,
};
const ONE_AT_LEAST = {
  fits: (value: number) => Number.isSafeInteger(value) && value >= 1,
  allowed: 'a whole number from 1',
};
const NONE_AT_LEAST = {
  fits: (value: number) => Number.isSafeInteger(value) && value >= 0,
  allowed: 'a whole number from 0',
};

const BOUNDS = {
  timeoutSeconds: SECONDS,
  attemptTimeoutSeconds: SECONDS,
  maxInFlight: ONE_AT_LEAST,
  maxWaiting: NONE_AT_LEAST,
} as const;

/** @throws RangeError naming an option that is out of its bounds, its value, and what is allowed */
export function checkBounds(options: Readonly<Record<keyof typeof BOUNDS, number>>): void {
  for (const [name, { fits, allowed }] of Object.entries(BOUNDS)) {
    const value = options[name as keyof typeof BOUNDS]; // its keys are those
    if (!fits(value)) throw new RangeError(`${name} is ${value}; allowed: ${allowed}`);
  }
}

/**
 * Looks at what every request would fail on, however often it is sent.
 *
 * @throws RangeError for a url that cannot be sent to, and for a key that no header can hold; it does not quote the key
 */
export function checkReachable(url: string, apiKey: string | undefined): void {
  if (!isIntakeUrl(url)) {
    throw new RangeError(
      `url is ${JSON.stringify(url)}; allowed: http:// or https:// with a host, without user, password, query and fragment`,
    );
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey.trim())) {
    throw new RangeError(
      'apiKey is empty or has characters that no key has; allowed: printable ASCII characters, no blanks',
    );
  }
}

function isIntakeUrl(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  let url: URL;
  try {
    url = new URL(text, globalThis.location?.href); // in a page, a path will do
  } catch {
    return false;
  }
  const { protocol, username, password, search, hash } = url;
  return (protocol === 'http:' || protocol === 'https:') && `${username}${password}${search}${hash}` === '';
}
