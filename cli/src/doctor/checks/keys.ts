import { plural } from '../../printable.js';
import type { Check } from '../facts.js';

export const keyTypes: Check = {
  name: 'key types',
  look: ({ queue: { wrongTypes } }) => {
    if (wrongTypes.length === 0)
      return [{ severity: 'ok', finding: 'every key of the queue is of its type' }];
    return wrongTypes.map(({ key, is }) => ({
      severity: 'error' as const,
      finding: `${key} is a ${is}: somebody else uses this name, and every command of Sluice on it fails (WRONGTYPE)`,
      remedy: `RENAME ${key}, or give the queue another REDIS_STREAM_NAME`,
    }));
  },
};

export const names: Check = {
  name: 'names',
  look: ({ queue: { overlapping, streamName } }) => {
    if (overlapping.length === 0)
      return [{ severity: 'ok', finding: 'no other queue has overlapping names' }];
    return [
      {
        severity: 'warning',
        finding: `${overlapping.join(', ')}: ${plural(overlapping.length, 'stream')} of another queue whose names overlap with ${streamName}; one takes tasks or dead letters of the other for its own`,
        remedy:
          'give the queues names of which none begins with the other, such as mail:stream and push:stream',
      },
    ];
  },
};

/** More settled entries than this are not just waiting for the next trimming. */
const MUCH_LEFT = 10_000;
const MANY_CONSUMERS = 1000;

export const growth: Check = {
  name: 'growth',
  look: ({ queue: { streams } }) => {
    const findings = streams.flatMap(({ stream, length, groups }) => {
      const found: ReturnType<Check['look']> = [];
      const open = groups.map(({ lag, pending }) => (lag === undefined ? undefined : lag + pending));
      const furthest = open.some((one) => one === undefined)
        ? undefined
        : Math.max(0, ...open.map((one) => one ?? 0));
      if (groups.length > 0 && furthest !== undefined && length - furthest > MUCH_LEFT) {
        found.push({
          severity: 'warning',
          finding: `${stream} has ${length} entries, of which every group has settled ${length - furthest}: nothing trims it`,
          remedy: 'run an engine on this queue: it removes what all groups have acknowledged',
        });
      }
      for (const { group, lag, consumers } of groups) {
        const others = groups.filter((one) => one.group !== group);
        const isAbandoned =
          others.length > 0 && (lag ?? 0) > MUCH_LEFT && consumers.every((one) => one.idleMs > 3_600_000);
        if (isAbandoned) {
          found.push({
            severity: 'warning',
            finding: `group ${group} has not read ${stream} for an hour and is ${lag} entries behind: all of them are kept for it`,
            remedy: `start its consumers, or XGROUP DESTROY ${stream} ${group} when it is not wanted any more`,
          });
        }
        if (consumers.length > MANY_CONSUMERS) {
          found.push({
            severity: 'warning',
            finding: `group ${group} has ${consumers.length} consumers on ${stream}: names of processes that are gone`,
            remedy: 'start a consumer: it removes those that own nothing',
          });
        }
      }
      for (const { group, attempts, pending } of groups) {
        if (attempts > pending + MUCH_LEFT) {
          found.push({
            severity: 'warning',
            finding: `${attempts} histories of attempts for ${pending} pending tasks of ${stream}, group ${group}: entries were settled by other means than a consumer`,
            remedy: `sluice audit --group ${group} names them; HDEL those`,
          });
        }
      }
      return found;
    });
    return findings.length > 0 ? findings : [{ severity: 'ok', finding: 'nothing grows that should not' }];
  },
};

export const ledger: Check = {
  name: 'ledger',
  look: ({ queue: { auditFaults } }) => {
    if (auditFaults.length === 0) return [{ severity: 'ok', finding: 'the ledger of every group adds up' }];
    return auditFaults.map(({ group, line }) => ({
      severity: 'error' as const,
      finding: `group ${group}: ${line}`,
      remedy: `sluice audit --group ${group} names what is missing`,
    }));
  },
};
