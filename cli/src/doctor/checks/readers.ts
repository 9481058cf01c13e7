import { PARKED } from '@sluice/contract';
import { plural } from '../../printable.js';
import type { Check, ConsumerState, GroupState, StreamState } from '../facts.js';

/** A live consumer reads, or renews its leases, much more often. */
const DEAD_AFTER_MS = 60_000;

export const readers: Check = {
  name: 'readers',
  look: ({ queue: { streams, streamName } }) => {
    if (streams.length === 0) {
      return [
        {
          severity: 'warning',
          finding: `there is no stream ${streamName}, and none of a type: nothing was ever appended or consumed`,
          remedy: 'check --redis and --stream; consumers create the streams when they start',
        },
      ];
    }
    const unread = streams.filter(({ groups }) => groups.length === 0);
    if (unread.length === 0) {
      return [{ severity: 'ok', finding: `${plural(streams.length, 'stream')}, each read by a group` }];
    }
    return unread.map(({ stream, taskType, length }) => ({
      severity: length > 0 ? ('error' as const) : ('warning' as const),
      finding: `no group reads ${stream}: ${plural(length, 'task')} of type ${taskType} for which no consumer has a handler`,
      remedy: `start consumers with a handler for ${taskType}, or stop taking such tasks in`,
    }));
  },
};

export const consumers: Check = {
  name: 'consumers',
  look: ({ queue: { streams } }) => {
    const orphaned = pairs(streams).filter(
      ([stream, group]) => openOf(stream, group) > 0 && !group.consumers.some(isAlive),
    );
    if (orphaned.length > 0) {
      return orphaned.map(([stream, group]) => ({
        severity: 'error' as const,
        finding: `no live consumer of group ${group.group} on ${stream.stream}, ${plural(openOf(stream, group), 'task')} open${growth(stream)}`,
        remedy: group.consumers.some((one) => one.name !== PARKED)
          ? 'start the consumers again; tasks of the dead ones are taken over within a lease'
          : `start consumers with a handler for ${stream.taskType}`,
      }));
    }
    const live = new Set(
      pairs(streams).flatMap(([, group]) => group.consumers.filter(isAlive).map(({ name }) => name)),
    );
    return [{ severity: 'ok', finding: `${plural(live.size, 'live consumer')}; no backlog without one` }];
  },
};

export const takeOver: Check = {
  name: 'take-over',
  look: ({ queue: { streams } }) => {
    const stuck = pairs(streams).flatMap(([{ stream }, group]) =>
      group.consumers
        .filter((one) => one.name !== PARKED && one.pending > 0 && !isAlive(one))
        .map((one) => ({
          severity: 'error' as const,
          finding: `${one.name} holds ${plural(one.pending, 'task')} of ${stream} and has been silent for ${Math.round(one.idleMs / 1000)} s: dead or frozen, and nobody takes them over`,
          remedy: `start a consumer of group ${group.group}: it takes them over within its lease (TASK_LEASE)`,
        })),
    );
    return stuck.length > 0
      ? stuck
      : [{ severity: 'ok', finding: 'no task is held by a consumer that is silent' }];
  },
};

export const retries: Check = {
  name: 'retries',
  look: ({ queue: { streams } }) => {
    const overdue = pairs(streams).filter(
      // Behind an open breaker or a rate limit they wait by intent.
      ([, { overdue: count, breaker, rateLimited }]) => count > 0 && breaker === undefined && !rateLimited,
    );
    if (overdue.length === 0) return [{ severity: 'ok', finding: 'no retry is past due' }];
    return overdue.map(([{ stream }, { group, overdue: count }]) => ({
      severity: 'error' as const,
      finding: `${plural(count, 'retry', 'retries')} of ${stream} for group ${group} past due by more than 5 s: nobody takes them`,
      remedy: `start a consumer of group ${group}; if one runs, it has no room: raise MAX_CONCURRENT_TASKS or start more`,
    }));
  },
};

function pairs(streams: readonly StreamState[]): [StreamState, GroupState][] {
  return streams.flatMap((stream) =>
    stream.groups.map((group): [StreamState, GroupState] => [stream, group]),
  );
}

function isAlive({ name, idleMs }: ConsumerState): boolean {
  return name !== PARKED && idleMs < DEAD_AFTER_MS;
}

/** Not delivered, or delivered and not settled. Redis does not know the lag after deletions: then all count. */
function openOf({ length }: StreamState, { lag, pending }: GroupState): number {
  return lag === undefined ? length : lag + pending;
}

function growth({ appendedMeanwhile }: StreamState): string {
  return appendedMeanwhile > 0 ? `, and growing (${appendedMeanwhile} more while we looked)` : '';
}
