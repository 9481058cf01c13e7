import { availableParallelism, hostname } from 'node:os';
import { resolveOptions, SluiceError } from '@sluice/contract';
import {
  type ConsumerCounters,
  type ConsumerListener,
  noSpans,
  type StatsdFigures,
  type TaskResourceFigures,
  type TaskTraces,
} from '@sluice/telemetry';
import { BREAK, type Broken } from './broken.js';
import { type CronSchedule, resolveSchedules } from './cron/cron-schedules.js';
import { moduleUrl } from './handlers/handler-registry.js';
import { ConsumerMetrics } from './metrics/consumer-metrics.js';
import { consumerOptionPairs, consumerOptions, type ResolvedOptions } from './options.js';
import { Supervisor } from './supervisor/supervisor.js';
import { tracesOf } from './traces/consumer-traces.js';

/** Options of `createConsumer`; what is left out has the default of the configuration table. */
export interface ConsumerOptions extends Partial<ResolvedOptions> {
  /**
   * Module of the handler by task type, `default` for tasks without a type: a URL (`new URL('./resize.js',
   * import.meta.url)`) or a path from the working directory. Loaded inside the worker threads.
   */
  handlers: Readonly<Record<string, URL | string>>;
  /**
   * Cron schedules, up to 1000. Each run is enqueued once, however many consumers have the schedule, in whatever group.
   * @default []
   */
  schedules?: readonly CronSchedule[];
  /** Told what happens. Without it nothing is said. What it throws is an uncaught exception of the process. */
  listener?: ConsumerListener;
}

/** Works tasks off until it is stopped. */
export interface Consumer {
  /**
   * Resolves when all threads read. Waits for Redis when it is not there yet.
   *
   * @throws SluiceError `HANDLER_MODULE` when a handler does not load
   */
  start(): Promise<void>;
  /**
   * Reads no more, finishes what runs, acknowledges it and leaves the group. What is not finished after
   * `shutdownTimeoutSeconds` is left to the other consumers of the group.
   */
  stop(): Promise<void>;
  /** What this process has done so far, over all its threads. */
  readonly counters: ConsumerCounters;
  /** What the tasks took that ended within the last minute, by type: memory, CPU, GPU. */
  readonly taskResources: readonly TaskResourceFigures[];
  /**
   * All figures of this process in the text format of Prometheus (`Content-Type: METRICS_CONTENT_TYPE`). A program with
   * a registry of its own answers with both: `(await register.metrics()) + consumer.metricsText()`; all names begin with
   * `sluice_`.
   */
  metricsText(): string;
  /** What goes to StatsD of it; for programs that have a `StatsdSink`. */
  statsdFigures(): StatsdFigures;
}

/** So long the receiver of spans is waited for at most, once the tasks are settled. */
const FLUSH_SPANS_MS = 5000;

type Breakable = ConsumerOptions & { [BREAK]?: Broken };

/**
 * Creates a consumer: worker threads that run your handlers for the tasks of a queue. Nothing happens before `start`.
 *
 * @throws SluiceError `INVALID_OPTIONS` naming every option that is wrong
 *
 * @example
 * const consumer = createConsumer({ handlers: { 'resize-image': new URL('./resize-image.js', import.meta.url) } });
 * await consumer.start();
 */
export function createConsumer({ handlers, schedules = [], listener, ...given }: ConsumerOptions): Consumer {
  const options = resolveOptions(consumerOptions, given, consumerOptionPairs);
  const modules = modulesOf(handlers);
  let supervisor: Supervisor | undefined;
  const threads = threadCount(options);
  const none = { read: 0, done: 0, retried: 0, dead: 0, fenced: 0, running: 0 };
  const countersNow = () => supervisor?.counters ?? none;
  const metrics = new ConsumerMetrics(Object.keys(modules), threads, () => ({
    counters: countersNow(),
    metrics: supervisor?.metrics ?? [],
    resources: supervisor?.taskResources ?? [],
    spans: traces?.counts ?? noSpans(),
  }));
  const report: ConsumerListener = (event) => {
    metrics.listener(event);
    try {
      listener?.(event);
    } catch (error) {
      // As any listener's error it is uncaught. Thrown from here it would end what we were doing just then.
      queueMicrotask(() => {
        throw error;
      });
    }
  };
  const plan = {
    options,
    threads,
    processName: processName(options),
    modules,
    schedules: resolveSchedules(schedules, 'schedules'),
    broken: (given as Breakable)[BREAK],
    report,
  };
  let traces: TaskTraces | undefined;
  let started: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  async function start(): Promise<void> {
    traces = tracesOf(options, threads, plan.processName, report);
    supervisor = new Supervisor({ ...plan, rings: traces?.rings });
    await supervisor.start();
  }

  async function stop(): Promise<void> {
    const begun = performance.now();
    const left = (await supervisor?.stop()) ?? 0;
    metrics.stop();
    await traces?.stop(FLUSH_SPANS_MS);
    report({ type: 'shutdown-finished', left, durationMs: Math.round(performance.now() - begun) });
  }

  return {
    start: () => {
      started ??= start();
      return started;
    },
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
    get counters() {
      return countersNow();
    },
    get taskResources() {
      return supervisor?.taskResources ?? [];
    },
    metricsText: () => metrics.text(),
    statsdFigures: () => metrics.statsd(),
  };
}

function modulesOf(handlers: ConsumerOptions['handlers']): Record<string, string> {
  const entries = Object.entries(handlers);
  if (entries.length === 0) {
    throw new SluiceError(
      'INVALID_OPTIONS',
      'handlers is empty; needed: the module of at least one task type',
    );
  }
  return Object.fromEntries(entries.map(([taskType, module]) => [taskType, moduleUrl(module)]));
}

function threadCount({ threads, maxConcurrentTasks }: ResolvedOptions): number {
  return threads === 'auto' ? Math.min(availableParallelism(), maxConcurrentTasks) : threads;
}

function processName({ consumerName }: ResolvedOptions): string {
  const host = consumerName === 'worker' ? hostname() : consumerName;
  return `${host}:${process.pid}`;
}
