import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

const LEVELS: Record<string, string> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/**
 * A logger that writes one JSON object a line to standard output: `timestamp`, `level`, `message`, `service`,
 * and `task_id` and `trace_id` where an event concerns one task. Payloads are never given to it.
 *
 * @param service name under `service` in each line
 * @param destination where the lines go instead of standard output
 */
export function createLogger(service: string, destination?: DestinationStream): Logger {
  const options = {
    base: { service, pid: process.pid },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: LEVELS[label] ?? label.toUpperCase() }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
