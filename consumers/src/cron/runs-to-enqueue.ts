import type { RunTimes } from './run-times.js';

/** Runs that are late by up to this are all made up for: a consumer may have been away that long, or Redis. */
export const CATCH_UP_MS = 60_000;

/** What is to be done about a schedule at some moment. */
export interface RunsToEnqueue {
  /** In order; at most one per second of the time that is made up for. */
  readonly runs: readonly number[];
  /** The last one of runs that nobody has enqueued and that are left out. */
  readonly missed: number | undefined;
}

/**
 * The runs of a schedule that are due and have not been enqueued. Of runs that were missed for longer than a minute
 * only the latest counts, if no later one is due and it is not older than the grace: after a long pause nobody wants
 * a task for every minute of it.
 *
 * @param last the run that was enqueued last, or when the schedule became known
 */
export function runsToEnqueue(times: RunTimes, last: number, now: number, graceMs: number): RunsToEnqueue {
  const from = Math.max(last, now - CATCH_UP_MS);
  const runs: number[] = [];
  for (let run = times.next(from); run !== undefined && run <= now; run = times.next(run)) runs.push(run);
  const older = from > last ? times.latest(from) : undefined;
  if (older === undefined || older <= last) return { runs, missed: undefined };
  if (runs.length === 0 && now - older <= graceMs) {
    const before = times.latest(older - 1);
    return { runs: [older], missed: before !== undefined && before > last ? before : undefined };
  }
  return { runs, missed: older };
}
