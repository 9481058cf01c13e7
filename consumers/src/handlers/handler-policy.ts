import type { RateLimit } from '../reading/rate-limit.js';

/** What a handler wants differently from the consumer's options. */
export interface HandlerPolicy {
  /** Attempts until the task goes to the dead-letter stream. */
  readonly maxAttempts?: number;
  /** Seconds until the signal is aborted and the attempt counts as failed. */
  readonly timeoutSeconds?: number;
  /** Tasks of this type that one process runs at once. */
  readonly concurrency?: number;
  /** `false`: this type is never paused, however many of its tasks fail. Else what it wants differently. */
  readonly breaker?: false | HandlerBreaker;
  /**
   * Most tasks of this type that all consumers of the group start within a time, retries included; in no window of that
   * length are they more. To keep that strictly it stays up to a tenth below. Without it there is no limit.
   */
  readonly rateLimit?: RateLimit;
}

/** When the breaker of a task type opens, and for how long; what is left out is as in the consumer's options. */
export interface HandlerBreaker {
  /** Part of the runs that must fail, above 0 and up to 1. */
  readonly failureRate?: number;
  /** Different tasks that must fail within the window. */
  readonly minimumFailures?: number;
  /** Seconds that runs are counted for. */
  readonly windowSeconds?: number;
  /** Seconds that nothing is started; doubles each time the probes fail. */
  readonly openSeconds?: number;
  /** Seconds that this never exceeds. */
  readonly openMaxSeconds?: number;
  /** Tasks that the group tries at once to see whether it works again. */
  readonly probes?: number;
}

/** What of a number is allowed, in words and as a check. */
type Rule = readonly [allowed: string, fits: (value: number) => boolean];

const WHOLE: Rule = ['a whole number from 1', (value) => Number.isInteger(value) && value >= 1];
const ABOVE_0: Rule = ['a number above 0', (value) => Number.isFinite(value) && value > 0];
const SECONDS: Rule = [
  'a number from 0.1 to 86400',
  (value) => Number.isFinite(value) && value >= 0.1 && value <= 86_400,
];
const FRACTION: Rule = ['a number above 0 and up to 1', (value) => value > 0 && value <= 1];
/** As many failures as are remembered (breaker.lua). */
const UP_TO_1000: Rule = ['a whole number from 1 to 1000', (value) => WHOLE[1](value) && value <= 1000];
const UP_TO_100: Rule = ['a whole number from 1 to 100', (value) => WHOLE[1](value) && value <= 100];

const POLICY = { maxAttempts: WHOLE, concurrency: WHOLE, timeoutSeconds: ABOVE_0 };
const BREAKER = {
  failureRate: FRACTION,
  minimumFailures: UP_TO_1000,
  windowSeconds: SECONDS,
  openSeconds: SECONDS,
  openMaxSeconds: SECONDS,
  probes: UP_TO_100,
};
const RATE_LIMIT: Readonly<Record<keyof RateLimit, Rule>> = { tasks: WHOLE, perSeconds: SECONDS };

/** What cannot be meant in a policy; empty when all is well. */
export function faultsOfPolicy({ breaker, rateLimit, ...policy }: HandlerPolicy): string[] {
  const faults = faultsOf('', POLICY, policy);
  if (breaker !== undefined && breaker !== false) {
    faults.push(...faultsOf('breaker.', BREAKER, breaker));
    const { openSeconds, openMaxSeconds } = breaker;
    if (openSeconds !== undefined && openMaxSeconds !== undefined && openSeconds > openMaxSeconds) {
      faults.push(
        `breaker.openMaxSeconds is ${openMaxSeconds}; allowed: not below openSeconds, which is ${openSeconds}`,
      );
    }
  }
  if (rateLimit !== undefined) {
    for (const [name, [allowed]] of Object.entries(RATE_LIMIT)) {
      if (!(name in rateLimit)) faults.push(`rateLimit.${name} is not set; allowed: ${allowed}`);
    }
    faults.push(...faultsOf('rateLimit.', RATE_LIMIT, rateLimit));
  }
  return faults;
}

function faultsOf(prefix: string, rules: Readonly<Record<string, Rule>>, values: object): string[] {
  const faults: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const rule = rules[name];
    if (value === undefined || rule === undefined) continue;
    const [allowed, fits] = rule;
    if (!fits(value)) faults.push(`${prefix}${name} is ${value}; allowed: ${allowed}`);
  }
  return faults;
}
