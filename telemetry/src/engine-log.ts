import type { EngineListener } from './engine-events.js';
import { type ErrorMessages, internalErrorFields } from './error-fields.js';
import type { Logger } from './log.js';

/**
 * Writes the events of an engine as log lines; every line of the engine's log comes from here.
 *
 * @param messages whether messages of errors are logged that may quote what was sent
 */
export function logEngineEvents(log: Logger, messages: ErrorMessages = 'names'): EngineListener {
  return (event) => {
    switch (event.type) {
      case 'listening':
        log.info({ url: event.url, processes: event.processes }, 'engine listening');
        return;
      case 'redis-found':
        log.debug('connected to Redis');
        return;
      case 'status-lookup-found':
        log.debug('connected to Redis for the status of tasks');
        return;
      case 'redis-lost':
        log.error({ reason: event.reason }, 'Redis lost: answering 503 until it is back');
        return;
      case 'redis-back':
        log.info({ down_ms: event.downMs }, 'Redis back');
        return;
      case 'append-refused':
        log.error({ code: event.code, reason: event.message }, 'Redis refused an append: answered 503');
        return;
      case 'breaker-opened':
        log.error(
          { stream: event.stream, refusals: event.refusals, reason: event.reason },
          'breaker opened: Redis refuses the tasks of this stream, answering 503 without asking it',
        );
        return;
      case 'breaker-closed':
        log.info({ stream: event.stream, open_ms: event.openMs }, 'breaker closed: Redis takes tasks again');
        return;
      case 'shedding-started':
        log.warn({ reason: event.reason }, 'shedding: answering 503 with Retry-After');
        return;
      case 'shedding-stopped':
        log.info('shedding stopped');
        return;
      case 'entries-trimmed':
        log.debug({ stream: event.stream, count: event.count }, 'acknowledged entries trimmed');
        return;
      case 'api-keys-loaded':
        log.info({ file: event.file, keys: event.keys }, 'API keys read again');
        return;
      case 'api-keys-refused':
        log.error(
          { file: event.file, reason: event.reason },
          'API keys not read: those from before stay valid',
        );
        return;
      case 'process-died':
        log.error(
          {
            died_pid: event.pid,
            exit: event.exit,
            restart_in_ms: event.restartInMs,
            ...(event.error !== undefined && internalErrorFields(event.error, messages)),
          },
          'engine process died',
        );
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
        log.info({ in_time: event.inTime, duration_ms: event.durationMs }, 'shut down');
        return;
      case 'internal-error':
        log.error(
          {
            trace_id: event.traceContext?.split('-')[1] ?? null,
            where: event.where,
            ...internalErrorFields(event.error, messages),
          },
          'internal error',
        );
        return;
    }
  };
}
