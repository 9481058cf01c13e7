import { createRequire } from 'node:module';

/** When a cron schedule runs, in Unix milliseconds. A pure function of the pattern: no clock is asked. */
export interface RunTimes {
  /** The first run after this; undefined when there is none any more. */
  next(after: number): number | undefined;
  /** The last run at this moment or before; undefined when there was none. */
  latest(until: number): number | undefined;
}

/**
 * The run times of a cron pattern of five fields, or of six with seconds in front, or of seven with years behind.
 *
 * @param timeZone IANA name of the zone that the pattern is read in
 * @throws Error that says what is wrong with the pattern or the zone
 */
export function runTimesOf(pattern: string, timeZone: string): RunTimes {
  // Of the moment a consumer starts: each would have run times of its own.
  if (pattern.includes('?'))
    throw new Error('? stands for the time of the start, which is another in each consumer');
  const { Cron } = loadCroner();
  const cron = new Cron(pattern, { timezone: timeZone, paused: true });
  if (cron.getPattern() === undefined) throw new Error('a single point in time is no pattern');
  return {
    next: (after) => cron.nextRun(new Date(after))?.getTime(),
    // One more, because it looks for what is before a moment.
    latest: (until) => cron.previousRuns(1, new Date(until + 1))[0]?.getTime(),
  };
}

/** With the first schedule: most consumers have none, and each of their threads would load it. */
function loadCroner(): typeof import('croner') {
  return createRequire(import.meta.url)('croner');
}
