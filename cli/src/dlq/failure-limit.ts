import { usageError } from '../command.js';

/** How many redriven tasks may die again before a redrive stops. */
export type FailureLimit =
  | { readonly kind: 'count'; readonly most: number }
  /** Of those settled so far. */
  | { readonly kind: 'share'; readonly most: number };

/** A share is not judged by fewer than this many: the first failure of all would be 100 %. */
const LEAST_JUDGED = 10;

/** Reads `5` or `10%`. @throws SluiceError `INVALID_OPTIONS` */
export function readFailureLimit(text: string): FailureLimit {
  const [, digits, percent] = /^(\d+)(%?)$/.exec(text.trim()) ?? [];
  const most = Number(digits);
  if (digits === undefined || (percent === '%' && most > 100)) {
    throw usageError(`--max-failures is "${text}"; allowed: a number such as 5, or a share such as 10%`);
  }
  return percent === '%' ? { kind: 'share', most: most / 100 } : { kind: 'count', most };
}

export function isOverLimit(limit: FailureLimit, cameBack: number, settled: number): boolean {
  switch (limit.kind) {
    case 'count':
      return cameBack > limit.most;
    case 'share':
      return cameBack > limit.most * Math.max(settled, LEAST_JUDGED);
  }
}
