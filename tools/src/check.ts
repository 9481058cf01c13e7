/** What one check of `npm run lint` found. */
export interface CheckResult {
  /** What was looked at, with how much of it: a check that read nothing must not look like a passed one. */
  summary: string;
  /** One line per fault, each saying what to change. Empty when all is well. */
  faults: readonly string[];
}
