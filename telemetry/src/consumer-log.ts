import type { ConsumerListener } from './consumer-events.js';
import { type ErrorMessages, internalErrorFields, taskError } from './error-fields.js';
import type { Logger } from './log.js';

/**
 * Writes the events of a consumer as log lines; every line of the consumer's log comes from here.
 *
 * @param messages whether messages are logged that handlers gave their errors; they may quote payloads
 */
export function logConsumerEvents(log: Logger, messages: ErrorMessages = 'names'): ConsumerListener {
  return (event) => {
    switch (event.type) {
      case 'started':
        log.info(
          { consumer: event.consumer, threads: event.threads, task_types: event.taskTypes },
          'consumer started',
        );
        return;
      case 'redis-lost':
        log.error(
          { thread: event.thread, reason: event.reason },
          'Redis lost: reading paused until it is back',
        );
        return;
      case 'redis-back':
        log.info({ thread: event.thread }, 'Redis back');
        return;
      case 'group-created':
        log.info({ stream: event.stream, group: event.group }, 'consumer group created');
        return;
      case 'task-retried':
        log.warn(
          { ...ofTask(event), delay_ms: event.delayMs, error: taskError(event.error, messages) },
          'task failed, will be retried',
        );
        return;
      case 'task-dead':
        log.error(
          { ...ofTask(event), error: taskError(event.error, messages) },
          'task moved to the dead-letter stream',
        );
        return;
      case 'task-timed-out':
        log.warn(
          { task_id: event.taskId, task_type: event.taskType, timeout_ms: event.timeoutMs },
          'task timed out: its signal was aborted',
        );
        return;
      case 'leases-lost':
        log.warn(
          { stream: event.stream, entries: event.entryIds },
          'leases lost: this process was not heard of for too long',
        );
        return;
      case 'outcome-fenced':
        log.warn(
          { stream: event.stream, entry: event.entryId },
          'outcome dropped: the task had been taken over',
        );
        return;
      case 'outcomes-refused':
        log.error(
          { stream: event.stream, reason: event.reason },
          'Redis refuses what became of tasks: it is kept, and tried again until it is taken',
        );
        return;
      case 'events-suppressed':
        log.warn({ count: event.count }, 'more tasks failed than are reported one by one');
        return;
      case 'breaker-opened':
        log.error(
          {
            task_type: event.taskType,
            stream: event.stream,
            failed: event.failed,
            succeeded: event.succeeded,
            open_ms: event.openMs,
          },
          'too many tasks failed: none of this type is started for a while, and their attempts do not count',
        );
        return;
      case 'breaker-half-open':
        log.warn(
          { task_type: event.taskType, stream: event.stream },
          'a few tasks are tried, to see whether it works again',
        );
        return;
      case 'breaker-closed':
        log.info({ task_type: event.taskType, stream: event.stream }, 'tasks of this type are started again');
        return;
      case 'tasks-taken-over':
        log.warn({ stream: event.stream, from: event.from, count: event.count }, 'tasks taken over');
        return;
      case 'tasks-lost':
        log.fatal(
          { stream: event.stream, entries: event.entryIds },
          'pending entries were deleted from the stream',
        );
        return;
      case 'runs-missed':
        log.error(
          { schedule: event.schedule, last_run: event.lastRun, reason: event.reason },
          'runs of a cron schedule missed',
        );
        return;
      case 'thread-replaced':
        log.error(
          {
            thread: event.thread,
            reason: event.reason,
            // Of a thread that died: what a handler threw and nobody caught.
            detail: event.reason === 'hung' ? event.detail : taskError(event.detail, messages),
            held: event.held,
          },
          'worker thread replaced',
        );
        return;
      case 'gpu-found':
        log.info({ gpus: event.gpus }, 'GPU use is measured while tasks run');
        return;
      case 'gpu-absent':
        log.debug({ reason: event.reason }, 'no GPU: none is measured');
        return;
      case 'consumer-removed':
        log.info(
          { consumer: event.consumer, stream: event.stream },
          'consumer without tasks removed from the group',
        );
        return;
      case 'crash-loop':
        log.fatal({ detail: taskError(event.detail, messages) }, 'worker threads keep dying: giving up');
        return;
      case 'spans-dropped':
        log.warn({ count: event.count, reasons: event.reasons }, 'spans dropped: traces are incomplete');
        return;
      case 'telemetry-dropped':
        log.warn({ sink: event.sink, count: event.count, reason: event.reason }, 'telemetry dropped');
        return;
      case 'shutdown-started':
        log.info({ signal: event.signal }, 'shutting down');
        return;
      case 'shutdown-finished':
        log.info({ left: event.left, duration_ms: event.durationMs }, 'shut down');
        return;
      case 'internal-error':
        log.error({ where: event.where, ...internalErrorFields(event.error, messages) }, 'internal error');
        return;
    }
  };
}

function ofTask(event: { taskId: string; taskType: string; attempt: number; traceContext: string }) {
  return {
    task_id: event.taskId,
    trace_id: event.traceContext.split('-')[1] ?? null,
    task_type: event.taskType,
    attempt: event.attempt,
  };
}
