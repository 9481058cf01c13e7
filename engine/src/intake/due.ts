import type { Fault } from '@sluice/contract';

/** The parts of an envelope that say when its task is due. */
export interface Timing {
  /** Seconds from now on. */
  delay?: unknown;
  /** A point in time, RFC 3339. */
  run_at?: unknown;
}

/**
 * When a task enters its stream, in milliseconds: counted from now by the clock of Redis, or by the calendar.
 * Nothing of it is decided by the clock of an engine, which may be wrong.
 */
export type Due = { readonly inMs: number } | { readonly atMs: number };

/** When the task of a valid envelope is due; undefined for one that is due at once. */
export function dueOf({ delay, run_at }: Timing): Due | undefined {
  // Undefined in all but few envelopes: these two looks are all that it costs them.
  if (delay === undefined && run_at === undefined) return undefined;
  if (typeof delay === 'number') return delay === 0 ? undefined : { inMs: delay * 1000 };
  const atMs = typeof run_at === 'string' ? instantOf(run_at) : undefined;
  return atMs === undefined ? undefined : { atMs };
}

/**
 * What is wrong with the delay of an envelope; empty when nothing is.
 *
 * @param maxDelaySeconds longest time that a task may be put off
 */
export function faultsOfTiming({ delay, run_at }: Timing, maxDelaySeconds: number): Fault[] {
  const faults: Fault[] = [];
  if (delay !== undefined && !(typeof delay === 'number' && delay >= 0 && delay <= maxDelaySeconds)) {
    faults.push({ path: '/delay', reason: `must be a number of seconds from 0 to ${maxDelaySeconds}` });
  }
  if (run_at === undefined) return faults;
  const atMs = typeof run_at === 'string' ? instantOf(run_at) : undefined;
  if (delay !== undefined) {
    faults.push({ path: '/run_at', reason: 'is not allowed beside delay: only one of the two' });
  } else if (atMs === undefined) {
    faults.push({
      path: '/run_at',
      reason: 'must be a date and time with its zone (RFC 3339), such as 2030-01-31T09:00:00+01:00',
    });
  } else if (atMs > Date.now() + maxDelaySeconds * 1000) {
    faults.push({ path: '/run_at', reason: `must be at most ${maxDelaySeconds} seconds from now` });
  }
  return faults;
}

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * Unix milliseconds of a date and time; undefined when it is none. `Date.parse` takes the 30th of February, and
 * a fraction of a millisecond is rounded up here: what runs at a time is not to run before it.
 */
function instantOf(text: string): number | undefined {
  const parts = RFC_3339.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (year < 100) local.setUTCFullYear(year); // Date.UTC takes 99 for 1999
  const isReal = local.getUTCMonth() === month - 1 && local.getUTCDate() === day;
  if (!isReal || hour > 23 || minute > 59 || second > 59) return undefined;
  const fractionMs = Math.ceil(Number(`0.${parts[7] ?? '0'}`) * 1000);
  const offsetMinutes = parts[8] === undefined ? 0 : Number(parts[9]) * 60 + Number(parts[10]);
  return local.getTime() + fractionMs - (parts[8] === '-' ? -1 : 1) * offsetMinutes * 60_000;
}
