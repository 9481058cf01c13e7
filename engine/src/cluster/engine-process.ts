import { describeThrown } from '@sluice/contract';
import {
  type EngineEvent,
  errorMessagesOf,
  type Log,
  logEngineEvents,
  openLog,
  reportEngineErrors,
} from '@sluice/telemetry';
import { createEngine, type Engine } from '../engine.js';
import type { ProcessDropped } from '../metrics/dropped-totals.js';
import { loadTaskTypes } from '../validation/schema-module.js';
import { ForwardedErrors } from './forwarded-errors.js';
import { type FromProcess, STATUS_EVERY_MS, type ToProcess } from './process-protocol.js';

/**
 * One of the engine processes that share the port. Started by the primary, which sends it its options, and
 * ends with it: a process without its primary would take tasks that nobody can shut down in order.
 */
let engine: Engine | undefined;
let log: Log | undefined;
let stopping = false;
const errors = new ForwardedErrors((error) => tell({ type: 'unexpected', error }));

process.on('message', (message: ToProcess) => {
  if (message.type === 'start') void start(message);
  else void stop();
});
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
// Ctrl-C reaches the whole process group; the primary decides what it means.
process.on('SIGINT', () => {});
// The end of it is left as it is; what is written to the channel now is still read.
process.on('uncaughtExceptionMonitor', (error) => tell({ type: 'crashed', error: describeThrown(error) }));

async function start(message: Extract<ToProcess, { type: 'start' }>): Promise<void> {
  try {
    const taskTypes = message.schemaModule === undefined ? [] : await loadTaskTypes(message.schemaModule);
    log = openLog(message.options.serviceName, message.log);
    const messages = errorMessagesOf(message.log);
    const logged = logEngineEvents(log.logger, messages);
    const reported = message.log.sentryDsn === undefined ? undefined : reportEngineErrors(errors, messages);
    const started = createEngine({
      ...message.options,
      taskTypes,
      sharePort: true,
      apiKeysText: message.apiKeysText,
      listener: (event) => {
        logged(event);
        reported?.(event);
        if (changesReadiness(event)) report();
      },
    });
    engine = started;
    await started.start();
    tell({ type: 'ready' });
    report();
    setInterval(report, STATUS_EVERY_MS);
  } catch (error) {
    // Whatever a schema module or the engine has opened meanwhile must not keep the process alive.
    tell({ type: 'failed', message: describeThrown(error).message }, () => process.exit(1));
  }
}

/** At once, so that nobody waits for half a second for a process that is ready. */
function changesReadiness({ type }: EngineEvent): boolean {
  return (
    type === 'redis-found' || type === 'redis-back' || type === 'redis-lost' || type === 'status-lookup-found'
  );
}

function report(): void {
  if (engine === undefined) return;
  const { ready } = engine;
  const figures = engine.takeFigures();
  tell({ type: 'status', health: engine.health(), ready, figures, dropped: droppedNow() });
}

function droppedNow(): ProcessDropped {
  return { loki: log?.loki?.dropped ?? 0, sentry: errors.dropped };
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  const unanswered = (await engine?.stop()) ?? 0;
  const answered = engine?.counters.accepted ?? 0;
  await log?.close();
  const figures = engine?.takeFigures();
  tell({ type: 'stopped', answered, unanswered, figures, dropped: droppedNow() }, () =>
    process.exit(unanswered === 0 ? 0 : 1),
  );
}

function tell(message: FromProcess, done: () => void = () => {}): void {
  // Without a channel the primary is gone: there is nobody to tell.
  if (process.connected) process.send?.(message, undefined, {}, done);
  else done();
}
