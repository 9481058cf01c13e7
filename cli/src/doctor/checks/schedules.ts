import { plural } from '../../printable.js';
import type { Check } from '../facts.js';

/** Consumers enqueue a run within seconds, and make up for it within a minute when Redis was away. */
const LATE_MS = 60_000;
/** Consumers say once an hour that they still have a schedule. */
const SEEN_MS = 2 * 3_600_000;

export const schedules: Check = {
  name: 'cron schedules',
  look: ({ queue: { schedules: all, at } }) => {
    const late = all.filter(({ next }) => next !== undefined && next + LATE_MS < at);
    if (late.length === 0) {
      return [{ severity: 'ok', finding: `${plural(all.length, 'cron schedule')}, every run enqueued` }];
    }
    return late.map(({ name, next, seen }) => {
      const finding = `${name} was to run at ${iso(next)} and was not enqueued`;
      if (seen + SEEN_MS < at) {
        return {
          severity: 'note' as const,
          finding: `${finding}: no consumer has had this schedule since ${iso(seen)}`,
        };
      }
      return {
        severity: 'error' as const,
        finding,
        remedy: 'start a consumer that has this schedule; if one runs, its log says what keeps it',
      };
    });
  },
};

function iso(at: number | undefined): string {
  return new Date(at ?? 0).toISOString();
}
