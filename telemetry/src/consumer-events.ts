import type { SpanDropReason } from './traces/span-counts.js';

/** What can happen in a consumer besides a task being settled; settled tasks are counted, not reported. */
export type ConsumerEvent =
  | { type: 'started'; consumer: string; threads: number; taskTypes: readonly string[] }
  | { type: 'redis-lost'; thread: string; reason: string }
  | { type: 'redis-back'; thread: string }
  | { type: 'group-created'; stream: string; group: string }
  | {
      type: 'task-retried';
      taskId: string;
      taskType: string;
      attempt: number;
      delayMs: number;
      error: string;
      traceContext: string;
    }
  | {
      type: 'task-dead';
      taskId: string;
      taskType: string;
      attempt: number;
      error: string;
      traceContext: string;
    }
  | { type: 'task-timed-out'; taskId: string; taskType: string; timeoutMs: number }
  /** These had been taken over while they were held here: the signals of those that run are aborted. */
  | { type: 'leases-lost'; stream: string; entryIds: readonly string[] }
  /** The outcome came after the entry had been taken over: it was not written, the other run counts. */
  | { type: 'outcome-fenced'; stream: string; entryId: string }
  /** Redis answers with an error when it is told what became of tasks: that is kept, and tried again until it is taken. */
  | { type: 'outcomes-refused'; stream: string; reason: string }
  /** More events about single tasks than are reported within a second; the counters have them all. */
  | { type: 'events-suppressed'; count: number }
  /** Too many tasks of a type failed: nobody in the group starts any for a while, and their attempts do not count. */
  | {
      type: 'breaker-opened';
      stream: string;
      taskType: string;
      failed: number;
      succeeded: number;
      openMs: number;
    }
  /** A few tasks are tried, to see whether it works again. */
  | { type: 'breaker-half-open'; stream: string; taskType: string }
  | { type: 'breaker-closed'; stream: string; taskType: string }
  | { type: 'tasks-taken-over'; stream: string; from: string; count: number }
  /** Entries that were pending but are no longer in the stream: somebody deleted or trimmed them. */
  | { type: 'tasks-lost'; stream: string; entryIds: readonly string[] }
  /**
   * Runs of a cron schedule that nobody enqueued in time, up to and with this one. Too late, they never will be; with
   * a full backlog they are as soon as there is room, if it is not too late then.
   */
  | { type: 'runs-missed'; schedule: string; lastRun: string; reason: 'too-late' | 'backlog-full' }
  | { type: 'thread-replaced'; thread: number; reason: 'hung' | 'died'; detail: string; held: number }
  /** nvidia-smi names GPUs: what tasks make of them is measured. Said once. */
  | { type: 'gpu-found'; gpus: number }
  /** Said once, at the first task: it is not looked for again. */
  | { type: 'gpu-absent'; reason: string }
  | { type: 'consumer-removed'; consumer: string; stream: string }
  | { type: 'crash-loop'; detail: string }
  /** Spans that were not delivered, since the last such event; at most one a minute. */
  | { type: 'spans-dropped'; count: number; reasons: Partial<Record<SpanDropReason, number>> }
  /** Telemetry that could not be delivered, in all; told once a minute at most. */
  | { type: 'telemetry-dropped'; sink: 'statsd' | 'sentry'; count: number; reason: string }
  | { type: 'shutdown-started'; signal: string }
  | { type: 'shutdown-finished'; left: number; durationMs: number }
  | { type: 'internal-error'; where: string; error: unknown };

export type ConsumerListener = (event: ConsumerEvent) => void;

/** Counters of one consumer process, summed over its threads. */
export interface ConsumerCounters {
  read: number;
  done: number;
  retried: number;
  dead: number;
  fenced: number;
  running: number;
}
