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
