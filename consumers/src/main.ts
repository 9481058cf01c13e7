import { listeningUrl, readEnvironment, SluiceError } from '@sluice/contract';
import {
  droppedText,
  errorMessagesOf,
  exitAfterReport,
  logConsumerEvents,
  OpsServer,
  openLog,
  openSentry,
  openStatsd,
  reportConsumerErrors,
} from '@sluice/telemetry';
import { type ConsumerOptions, createConsumer } from './consumer.js';
import type { CronSchedule } from './cron/cron-schedules.js';
import { moduleUrl } from './handlers/handler-registry.js';
import { consumerOptionPairs } from './options.js';
import { ProgramHealth } from './program-health.js';
import { allProgramOptions, consumerOptionsOf } from './program-options.js';
import { VERSION } from './version.js';

/** So long Sentry is waited for at the end. */
const SENTRY_WITHIN_MS = 2000;

// A consumer process: options from the environment, handlers from HANDLER_MODULE, the log on standard output, and a port
// for operations.

try {
  const program = readEnvironment(allProgramOptions, process.env, consumerOptionPairs);
  const serviceName = process.env.SERVICE_NAME || 'sluice-consumers';
  const log = openLog(serviceName, program);
  const messages = errorMessagesOf(program);
  const logged = logConsumerEvents(log.logger, messages);
  const sentry = openSentry(program, { service: serviceName, version: VERSION }, (count, error) =>
    logged({ type: 'telemetry-dropped', sink: 'sentry', count, reason: error.message }),
  );
  if (sentry !== undefined) exitAfterReport(sentry, 'supervisor', messages);
  const reported = sentry === undefined ? undefined : reportConsumerErrors(sentry, messages);
  const health = new ProgramHealth();
  let left = 0;
  const consumer = createConsumer({
    ...consumerOptionsOf(program),
    traceServiceName: program.traceServiceName ?? serviceName,
    handlers: await loadHandlersRecord(process.env.HANDLER_MODULE),
    schedules: await loadSchedules(process.env.SCHEDULE_MODULE),
    listener: (event) => {
      logged(event);
      reported?.(event);
      health.listener(event);
      if (event.type === 'shutdown-finished') left = event.left;
      if (event.type === 'crash-loop') void shutDown(1);
    },
  });

  const dropped = () => ({
    statsd: statsd?.dropped ?? 0,
    loki: log.loki?.dropped ?? 0,
    sentry: sentry?.dropped ?? 0,
  });
  const ops =
    program.metricsPort === undefined
      ? undefined
      : new OpsServer({
          host: program.metricsHost,
          port: program.metricsPort,
          health: () => health.health,
          ready: () => health.ready,
          metrics: () => consumer.metricsText() + droppedText(dropped()),
        });
  const statsd = openStatsd(
    program,
    () => consumer.statsdFigures(),
    (count, error) => logged({ type: 'telemetry-dropped', sink: 'statsd', count, reason: error.message }),
  );
  await ops?.listen();

  let shuttingDown = false;
  const shutDown = async (code: number) => {
    shuttingDown = true;
    health.stopping();
    await consumer.stop();
    statsd?.close();
    await ops?.close();
    await Promise.all([log.close(), sentry?.close(SENTRY_WITHIN_MS)]);
    process.exit(code === 0 && left > 0 ? 1 : code);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logged({ type: 'shutdown-started', signal });
      void shutDown(0);
    });
  }
  // Whoever started us with a channel wants us to end with them.
  process.once('disconnect', () => {
    logged({ type: 'shutdown-started', signal: 'disconnect' });
    void shutDown(0);
  });

  await consumer.start().catch((error: unknown) => {
    if (!shuttingDown) throw error; // a start that was stopped has failed, as it should
  });
  const { metricsHost, metricsPort } = program;
  const opsUrl = metricsPort === undefined ? undefined : listeningUrl(metricsHost, metricsPort);
  if (!shuttingDown) process.send?.({ type: 'ready', opsUrl });
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/** The handlers: the default export of a module, a record of task type and handler module. */
async function loadHandlersRecord(path: string | undefined): Promise<ConsumerOptions['handlers']> {
  if (path === undefined || path === '') {
    throw new SluiceError(
      'INVALID_OPTIONS',
      'HANDLER_MODULE is not set; allowed: path of a module whose default export names the handler module of each task type',
    );
  }
  let record: unknown;
  try {
    const module: { default?: unknown } = await import(moduleUrl(path));
    record = module.default;
  } catch (cause) {
    throw new SluiceError('HANDLER_MODULE', `HANDLER_MODULE ${path} does not load: ${String(cause)}`, {
      cause,
    });
  }
  const entries = typeof record === 'object' && record !== null ? Object.entries(record) : [];
  const wrong = entries.find(([, module]) => typeof module !== 'string' && !(module instanceof URL));
  if (entries.length === 0 || wrong !== undefined) {
    throw new SluiceError(
      'HANDLER_MODULE',
      `HANDLER_MODULE ${path} has no default export like { "<task type>": new URL("./handler.js", import.meta.url) }`,
    );
  }
  return record as ConsumerOptions['handlers']; // every value was looked at
}

/** The cron schedules: the default export of a module, if one is named. They are checked by whoever takes them. */
async function loadSchedules(path: string | undefined): Promise<readonly CronSchedule[]> {
  if (path === undefined || path === '') return [];
  let list: unknown;
  try {
    const module: { default?: unknown } = await import(moduleUrl(path));
    list = module.default;
  } catch (cause) {
    throw new SluiceError('SCHEDULE_MODULE', `SCHEDULE_MODULE ${path} does not load: ${String(cause)}`, {
      cause,
    });
  }
  if (!Array.isArray(list)) {
    throw new SluiceError(
      'SCHEDULE_MODULE',
      `SCHEDULE_MODULE ${path} has no default export like [{ name: "nightly", cron: "0 3 * * *", type: "report", data: {} }]`,
    );
  }
  return list;
}
