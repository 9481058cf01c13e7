import { describeThrown } from '@sluice/contract';
import { errorMessagesOf, type Log, logEngineEvents, openLog } from '@sluice/telemetry';
import { createEngine, type Engine } from '../engine.js';
import { loadTaskTypes } from '../validation/schema-module.js';
import { type FromProcess, STATUS_EVERY_MS, type ToProcess } from './process-protocol.js';

/**
 * One of the engine processes that share the port. Started by the primary, which sends it its options, and
 * ends with it: a process without its primary would take tasks that nobody can shut down in order.
 */
let engine: Engine | undefined;
let log: Log | undefined;
let stopping = false;

process.on('message', (message: ToProcess) => {
  if (message.type === 'start') void start(message);
  else void stop();
});
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
// Ctrl-C reaches the whole process group; the primary decides what it means.
process.on('SIGINT', () => {});

async function start(message: Extract<ToProcess, { type: 'start' }>): Promise<void> {
  try {
    const taskTypes = message.schemaModule === undefined ? [] : await loadTaskTypes(message.schemaModule);
    log = openLog(message.options.serviceName, message.log);
    const started = createEngine({
      ...message.options,
      taskTypes,
      sharePort: true,
      apiKeysText: message.apiKeysText,
      listener: logEngineEvents(log.logger, errorMessagesOf(message.log)),
    });
    engine = started;
    await started.start();
    tell({ type: 'ready' });
    const report = (): void => {
      tell({
        type: 'status',
        health: started.health(),
        ready: started.ready,
        figures: started.takeFigures(),
      });
    };
    report();
    setInterval(report, STATUS_EVERY_MS);
  } catch (error) {
    // Whatever a schema module or the engine has opened meanwhile must not keep the process alive.
    tell({ type: 'failed', message: describeThrown(error).message }, () => process.exit(1));
  }
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  const unanswered = (await engine?.stop()) ?? 0;
  const answered = engine?.counters.accepted ?? 0;
  await log?.close();
  const figures = engine?.takeFigures();
  tell({ type: 'stopped', answered, unanswered, figures }, () => process.exit(unanswered === 0 ? 0 : 1));
}

function tell(message: FromProcess, done: () => void = () => {}): void {
  // Without a channel the primary is gone: there is nobody to tell.
  if (process.connected) process.send?.(message, undefined, {}, done);
  else done();
}
