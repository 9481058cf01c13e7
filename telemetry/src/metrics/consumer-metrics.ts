import { TASK_SECONDS, WAIT_SECONDS } from './buckets.js';
import type { MetricDefinition } from './metric.js';

/**
 * What a consumer process counts itself, over all of its worker threads, those that were replaced included. `task_type`
 * is one for which a handler is registered.
 */
export const CONSUMER_METRICS = {
  taskDuration: {
    name: 'sluice_task_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time a handler took, by how the run ended: done or failed (thrown or timed out).',
    labels: ['task_type', 'result'],
    buckets: TASK_SECONDS,
  },
  taskWait: {
    name: 'sluice_task_wait_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from the entry of a task into its stream to its first start.',
    labels: ['task_type'],
    buckets: WAIT_SECONDS,
  },
  taskOutcomes: {
    name: 'sluice_task_outcomes_total',
    type: 'counter',
    unit: 'tasks',
    help: 'What was written of runs: done, retried, dead, released (given back unstarted), fenced (too late, others had taken over), lost.',
    labels: ['task_type', 'outcome'],
  },
  tasksRead: {
    name: 'sluice_tasks_read_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Entries that were handed to this process, those handed out again included.',
    labels: [],
  },
  taskTimeouts: {
    name: 'sluice_task_timeouts_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Runs that took longer than TASK_TIMEOUT, those that blocked their thread until it was replaced included.',
    labels: ['task_type'],
  },
  tasksRunning: {
    name: 'sluice_tasks_running',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks whose handler runs.',
    labels: ['task_type'],
  },
  tasksWaiting: {
    name: 'sluice_tasks_waiting',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks that were read and wait for a place to run.',
    labels: ['task_type'],
  },
  rateLimitWaits: {
    name: 'sluice_rate_limit_waits_total',
    type: 'counter',
    unit: '1',
    help: 'Times a thread had to wait because the rate limit of the type was used up.',
    labels: ['task_type'],
  },
  taskBreakerState: {
    name: 'sluice_task_breaker_state',
    type: 'gauge',
    unit: '1',
    help: 'Circuit breaker of the type as this process knows it: 0 closed, 1 half-open, 2 open.',
    labels: ['task_type'],
  },
  threads: {
    name: 'sluice_consumer_threads',
    type: 'gauge',
    unit: '1',
    help: 'Worker threads; each is a consumer of the group.',
    labels: [],
  },
  threadsReplaced: {
    name: 'sluice_consumer_threads_replaced_total',
    type: 'counter',
    unit: '1',
    help: 'Worker threads that were replaced: hung or died.',
    labels: ['reason'],
  },
  tasksTakenOver: {
    name: 'sluice_tasks_taken_over_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Tasks of dead consumers that this process gave back to the group.',
    labels: [],
  },
  taskMemory: {
    name: 'sluice_task_memory_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Memory a task took, over the tasks of the last while: avg, max, min.',
    labels: ['task_type', 'stat'],
  },
  taskGpu: {
    name: 'sluice_task_gpu_percent',
    type: 'gauge',
    unit: 'percent',
    help: 'GPU use while a task ran, over the tasks of the last while: avg, max, min. Absent without a GPU.',
    labels: ['task_type', 'stat'],
  },
  taskCpu: {
    name: 'sluice_task_cpu_seconds_total',
    type: 'counter',
    unit: 'seconds',
    help: 'Time that the event loops of the worker threads were busy while tasks of the type ran: CPU time, and waiting for a core.',
    labels: ['task_type'],
  },
} as const satisfies Record<string, MetricDefinition>;
