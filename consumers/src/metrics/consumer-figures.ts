import {
  CONSUMER_METRICS,
  type ConsumerCounters,
  type Exposition,
  exposeProcesses,
  exposeSpans,
  exposeVersion,
  type ProcessFigures,
  type SpanCounts,
  type TaskResourceFigures,
} from '@sluice/telemetry';
import { VERSION } from '../version.js';
import { OUTCOMES, RESULTS, type TaskMetrics } from './task-metrics.js';

/** What a consumer process has done and is doing, over all of its threads. */
export interface ConsumerFigures {
  readonly counters: ConsumerCounters;
  /** By task type, in this order, the lanes of `tasks`. */
  readonly taskTypes: readonly string[];
  readonly tasks: TaskMetrics;
  readonly threads: number;
  readonly threadsReplaced: Readonly<Record<'hung' | 'died', number>>;
  readonly tasksTakenOver: number;
  readonly process: ProcessFigures;
  /** What single tasks took of the machine, where that is measured. */
  readonly resources: readonly TaskResourceFigures[];
  readonly spans: SpanCounts;
}

/** Writes the figures of a consumer process. */
export function exposeConsumer(to: Exposition, figures: ConsumerFigures): void {
  const { counters, taskTypes, tasks, resources } = figures;
  const metrics = CONSUMER_METRICS;
  for (const [lane, task_type] of taskTypes.entries()) {
    for (const result of RESULTS) {
      to.addHistogram(metrics.taskDuration, { task_type, result }, tasks.duration(lane, result));
    }
    to.addHistogram(metrics.taskWait, { task_type }, tasks.wait(lane));
    for (const outcome of OUTCOMES) {
      to.add(metrics.taskOutcomes, { task_type, outcome }, tasks.outcome(lane, outcome));
    }
    to.add(metrics.taskTimeouts, { task_type }, tasks.count(lane, 'timeouts'));
    to.add(metrics.rateLimitWaits, { task_type }, tasks.count(lane, 'rateLimitWaits'));
    to.add(metrics.tasksRunning, { task_type }, tasks.state(lane, 'running'));
    to.add(metrics.tasksWaiting, { task_type }, tasks.state(lane, 'waiting'));
    to.add(metrics.taskBreakerState, { task_type }, tasks.state(lane, 'breaker'));
  }
  to.add(metrics.tasksRead, {}, counters.read);
  to.add(metrics.threads, {}, figures.threads);
  for (const reason of ['hung', 'died'] as const) {
    to.add(metrics.threadsReplaced, { reason }, figures.threadsReplaced[reason]);
  }
  to.add(metrics.tasksTakenOver, {}, figures.tasksTakenOver);
  for (const one of resources) exposeResources(to, one);
  exposeProcesses(to, 'consumers', figures.process);
  exposeSpans(to, figures.spans);
  exposeVersion(to, VERSION);
}

function exposeResources(
  to: Exposition,
  { taskType: task_type, memory, gpu, cpuSeconds }: TaskResourceFigures,
) {
  for (const stat of ['avg', 'max', 'min'] as const) {
    if (memory !== undefined) to.add(CONSUMER_METRICS.taskMemory, { task_type, stat }, memory[stat]);
    if (gpu !== undefined) to.add(CONSUMER_METRICS.taskGpu, { task_type, stat }, gpu[stat]);
  }
  if (cpuSeconds !== undefined) to.add(CONSUMER_METRICS.taskCpu, { task_type }, cpuSeconds);
}
