import type { MetricDefinition } from './metric.js';

/**
 * What is in Redis. Every replica of the engine says the same of it, so take the maximum over replicas, never the sum.
 * Without Redis they stay as they were last; `queueFiguresAge` says how old they are.
 */
export const QUEUE_METRICS = {
  backlog: {
    name: 'sluice_backlog_tasks',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks in the stream that not every group has acknowledged.',
    labels: ['stream'],
  },
  timeToDrain: {
    name: 'sluice_time_to_drain_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Seconds that working off the backlog takes at the rate of late; 0 only when nothing waits. The figure to scale by.',
    labels: ['stream'],
  },
  drainRate: {
    name: 'sluice_drain_rate',
    type: 'gauge',
    unit: 'tasks per second',
    help: 'Tasks a second that leave the backlog while there is enough of it: what the consumers can do. Absent while unknown.',
    labels: ['stream'],
  },
  streamAppended: {
    name: 'sluice_stream_entries_added_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Entries ever added to the stream, by anybody, as Redis counts them.',
    labels: ['stream'],
  },
  groupLag: {
    name: 'sluice_group_lag_tasks',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks that the group has not read yet. Absent while Redis cannot tell.',
    labels: ['stream', 'group'],
  },
  groupPending: {
    name: 'sluice_group_pending_tasks',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks that the group has read and not acknowledged: those that run, and those that wait for their next attempt.',
    labels: ['stream', 'group'],
  },
  groupConsumers: {
    name: 'sluice_group_consumers',
    type: 'gauge',
    unit: '1',
    help: 'Consumers of the group that were heard of within the last minute; each worker thread is one.',
    labels: ['stream', 'group'],
  },
  retriesWaiting: {
    name: 'sluice_retries_waiting_tasks',
    type: 'gauge',
    unit: 'tasks',
    help: 'Failed tasks that wait for their next attempt.',
    labels: ['stream', 'group'],
  },
  scheduled: {
    name: 'sluice_scheduled_tasks',
    type: 'gauge',
    unit: 'tasks',
    help: 'Delayed tasks that are not due yet.',
    labels: ['stream'],
  },
  deadLetters: {
    name: 'sluice_dead_letters',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks in the dead-letter stream.',
    labels: [],
  },
  breakerState: {
    name: 'sluice_breaker_state',
    type: 'gauge',
    unit: '1',
    help: 'Circuit breaker of the tasks of the stream: 0 closed, 1 half-open, 2 open.',
    labels: ['stream', 'group'],
  },
  ledger: {
    name: 'sluice_ledger_tasks_total',
    type: 'counter',
    unit: 'tasks',
    help: 'What became of tasks, as counted by the same atomic steps that change their state: done, dead, retried, taken_over and more.',
    labels: ['stream', 'group', 'outcome'],
  },
  lost: {
    name: 'sluice_lost_tasks',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks that were pending and are gone from the stream, as somebody deleted or trimmed them, and that nobody has written off.',
    labels: ['stream', 'group'],
  },
  scheduleLedger: {
    name: 'sluice_schedule_tasks_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Delayed tasks: scheduled, and promoted to the stream when they were due.',
    labels: ['stream', 'outcome'],
  },
  redisConnected: {
    name: 'sluice_redis_connected',
    type: 'gauge',
    unit: '1',
    help: 'Whether every process has its connection to Redis: 1 or 0.',
    labels: [],
  },
  queueFiguresAge: {
    name: 'sluice_queue_figures_age_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Age of the figures that come from Redis. They are looked up once a second.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;
