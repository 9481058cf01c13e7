import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import type { DestinationStream, Logger } from 'pino';
import type { LogOptions } from './log-options.js';
import { type LokiCounters, LokiShipper } from './loki/loki-shipper.js';

export type { Logger };

/** Names of pino's levels in the log. */
const LEVELS: Record<string, string> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

const PINO_LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' };

/**
 * A logger that writes one JSON object a line to standard output: `timestamp`, `level`, `message`, `task_id` and
 * `trace_id`, both null where a line concerns no single task, and `service`. Payloads are never given to it.
 *
 * @param service name under `service` in each line
 * @param destination where the lines go instead of standard output
 * @param level least level that is written
 */
export function createLogger(
  service: string,
  destination?: DestinationStream,
  level: LogOptions['logLevel'] = 'INFO',
): Logger {
  const options = {
    level: PINO_LEVELS[level],
    base: { service, pid: process.pid },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: LEVELS[label] ?? label.toUpperCase() }),
      log: (about: Record<string, unknown>) => ({ task_id: null, trace_id: null, ...about }),
    },
  };
  const { pino } = loadPino();
  return destination === undefined ? pino(options) : pino(options, destination);
}

/**
 * Loaded by who writes a log, which worker threads do not; by `require`, because an import of CommonJS reads each file
 * a second time, for the names that it exports.
 */
function loadPino(): typeof import('pino') {
  return createRequire(import.meta.url)('pino');
}

/** The log of a program. */
export interface Log {
  readonly logger: Logger;
  /** What became of the lines for Loki; undefined without `lokiEndpoint`. */
  readonly loki: Readonly<LokiCounters> | undefined;
  /** Ships what is left to Loki, within two seconds. Lines written after it go to standard output only. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 2000;
const WARN_EVERY_MS = 60_000;

/**
 * Opens the log of a program: standard output, and Loki where there is one. Trouble with Loki is one warning a minute
 * on standard output, and a counter.
 *
 * @param output standard output, unless it is a test
 * @param now milliseconds of a clock that goes forward
 */
export function openLog(
  service: string,
  { logLevel, lokiEndpoint }: Pick<LogOptions, 'logLevel' | 'lokiEndpoint'>,
  output: DestinationStream = loadPino().destination({ fd: 1, sync: true }),
  now: () => number = () => performance.now(),
): Log {
  const local = createLogger(service, output, logLevel);
  if (lokiEndpoint === undefined) return { logger: local, loki: undefined, close: async () => {} };

  let warnedAt = Number.NEGATIVE_INFINITY;
  const shipper = new LokiShipper({
    endpoint: lokiEndpoint,
    labels: { service_name: service, instance: hostname() },
    onTrouble: (reason) => {
      if (now() - warnedAt < WARN_EVERY_MS) return;
      warnedAt = now();
      const { dropped, waiting } = shipper.counters;
      // To standard output only: it would queue behind the lines that Loki does not take.
      local.warn({ reason, dropped, waiting }, 'Loki does not take the log');
    },
  });
  const both: DestinationStream = {
    write(line) {
      output.write(line);
      shipper.write(line);
    },
  };
  return {
    logger: createLogger(service, both, logLevel),
    loki: shipper.counters,
    async close() {
      const before = shipper.counters.dropped;
      await shipper.close(CLOSE_WITHIN_MS);
      const { dropped } = shipper.counters;
      if (dropped > before) local.warn({ dropped }, 'Loki did not take the last lines of the log');
    },
  };
}
