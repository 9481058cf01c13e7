import { REQUEST_SECONDS } from './buckets.js';
import type { MetricDefinition } from './metric.js';

/**
 * What an engine counts itself, summed over all of its processes, those that have died included.
 *
 * `route` is `/tasks`, `/tasks/batch`, `/tasks/{type}`, `/tasks/{type}/batch`, `/tasks/{id}`, or `other` for everything else:
 * probes, documents, unknown paths and wrong methods. `task_type` is `default` or a registered type, and empty with the
 * last two.
 */
export const ENGINE_METRICS = {
  requests: {
    name: 'sluice_requests_total',
    type: 'counter',
    unit: 'requests',
    help: 'Requests that were answered, each once, by class of status (2xx, 4xx, 5xx); aborted: its client went away first.',
    labels: ['route', 'task_type', 'status'],
  },
  requestDuration: {
    name: 'sluice_request_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from the head of a request to its answer, the append in Redis included.',
    labels: ['route', 'task_type', 'status'],
    buckets: REQUEST_SECONDS,
  },
  accepted: {
    name: 'sluice_tasks_accepted_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Tasks answered as accepted; a batch counts each of its tasks.',
    labels: [],
  },
  replayed: {
    name: 'sluice_tasks_replayed_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Of the accepted tasks, those that had been stored before with the same Idempotency-Key.',
    labels: [],
  },
  appended: {
    name: 'sluice_tasks_appended_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Tasks whose append Redis has confirmed, whether or not somebody still waited for the answer.',
    labels: [],
  },
  batches: {
    name: 'sluice_append_batches_total',
    type: 'counter',
    unit: '1',
    help: 'Writes to Redis; tasks appended divided by this is the mean size of a batch.',
    labels: [],
  },
  refusals: {
    name: 'sluice_refusals_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Tasks refused, by the code in the answer; a request that is refused as a whole counts once.',
    labels: ['code'],
  },
  shed: {
    name: 'sluice_shed_total',
    type: 'counter',
    unit: 'requests',
    help: 'Requests answered 503 OVERLOADED because a bound was reached, by the bound; with schedule, batches too of which some tasks were refused for it.',
    labels: ['reason'],
  },
  appendBreakerState: {
    name: 'sluice_append_breaker_state',
    type: 'gauge',
    unit: '1',
    help: 'Circuit breaker before the appends of the stream, the worst of all processes: 0 closed, 1 half-open, 2 open: Redis refuses its tasks.',
    labels: ['stream'],
  },
  appendBreakerOpened: {
    name: 'sluice_append_breaker_opened_total',
    type: 'counter',
    unit: '1',
    help: 'How often such a breaker has opened, in any process.',
    labels: [],
  },
  inFlightRequests: {
    name: 'sluice_in_flight_requests',
    type: 'gauge',
    unit: 'requests',
    help: 'Requests that are held and not answered yet, or whose append is not confirmed yet.',
    labels: [],
  },
  inFlightBytes: {
    name: 'sluice_in_flight_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Bytes of bodies that are held.',
    labels: [],
  },
  inFlightBatchTasks: {
    name: 'sluice_in_flight_batch_tasks',
    type: 'gauge',
    unit: 'tasks',
    help: 'Tasks of batches that are held.',
    labels: [],
  },
  processes: {
    name: 'sluice_engine_processes',
    type: 'gauge',
    unit: '1',
    help: 'Engine processes by state: ready ones take traffic.',
    labels: ['state'],
  },
  processDeaths: {
    name: 'sluice_engine_process_deaths_total',
    type: 'counter',
    unit: '1',
    help: 'Engine processes that ended without being asked to, and were replaced.',
    labels: [],
  },
  entriesTrimmed: {
    name: 'sluice_entries_trimmed_total',
    type: 'counter',
    unit: 'tasks',
    help: 'Acknowledged entries that were removed from a stream.',
    labels: ['stream'],
  },
} as const satisfies Record<string, MetricDefinition>;
