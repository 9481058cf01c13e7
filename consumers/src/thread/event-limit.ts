import type { ConsumerEvent, ConsumerListener } from '@sluice/telemetry';

/** Events about single tasks that one thread reports per second; beyond, they are only counted. */
const MOST_PER_SECOND = 100;
const SECOND = 1000;

/** Events that a downstream outage makes as frequent as tasks. */
const PER_TASK: ReadonlySet<ConsumerEvent['type']> = new Set([
  'task-retried',
  'task-dead',
  'task-timed-out',
  'outcome-fenced',
]);

/**
 * Lets the listener be told of rare things only: when thousands of tasks fail, some of them are reported and then how
 * many more there were. The counters, and the dead-letter stream, miss none.
 *
 * @param now milliseconds of any clock that goes forward
 */
export function limitEvents(
  listener: ConsumerListener,
  now: () => number = () => performance.now(),
): ConsumerListener {
  let second = Number.NEGATIVE_INFINITY;
  let reported = 0;
  let suppressed = 0;
  return (event) => {
    if (!PER_TASK.has(event.type)) {
      listener(event);
      return;
    }
    if (now() - second >= SECOND) {
      if (suppressed > 0) listener({ type: 'events-suppressed', count: suppressed });
      second = now();
      reported = 0;
      suppressed = 0;
    }
    if (reported < MOST_PER_SECOND) {
      reported += 1;
      listener(event);
    } else suppressed += 1;
  };
}
