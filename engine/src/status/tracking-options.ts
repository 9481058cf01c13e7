import { Option } from '@sluice/contract';

/** The options that say whether one may ask what became of a task. */
export const trackingOptions = {
  trackTasks: Option.Boolean({
    env: 'TRACK_TASKS',
    default: false,
    description:
      'Keep track of each task that is taken in, so that `GET /tasks/{id}` says what became of it. Consumers notice by the task, and need no option. Costs some 250 bytes of Redis a task for `TRACK_TTL`, and several times the Redis CPU of an append.',
  }),
  trackTtlSeconds: Option.Number({
    env: 'TRACK_TTL',
    minimum: 1,
    maximum: 31_536_000,
    default: 86_400,
    description:
      'Seconds for which the status of a tracked task is kept, from its 202, or from when it is due; more than tasks take.',
  }),
};
