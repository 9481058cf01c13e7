import { inspect } from 'node:util';
import { readEnvironment, SluiceError } from '@sluice/contract';
import {
  type EngineListener,
  errorMessagesOf,
  exitAfterReport,
  logEngineEvents,
  openLog,
  openSentry,
  reportEngineErrors,
  type SentrySink,
  unexpectedError,
} from '@sluice/telemetry';
import { Primary } from './cluster/primary.js';
import type { Standby } from './cluster/standby.js';
import { allProgramOptionPairs, allProgramOptions, engineOptionsOf } from './program-options.js';
import { loadTaskTypes } from './validation/schema-module.js';

/** What `main.ts` has of the process it runs in. */
export interface ProgramStart {
  environment: Readonly<Record<string, string | undefined>>;
  /** Arguments of Node for the engine processes. */
  nodeArguments: readonly string[];
  standby: Standby;
}

/** So long Sentry is waited for at the end. */
const SENTRY_WITHIN_MS = 2000;

/** Runs the `engine` program: engine processes and their primary, until a signal ends them. */
export function runProgram(start: ProgramStart): void {
  // Nothing is left to do, and nothing was started: a schema module waits for something that never comes.
  process.once('beforeExit', () =>
    fail(new SluiceError('INVALID_OPTIONS', 'SCHEMA_MODULE never finishes loading')),
  );
  run(start).catch(fail);
}

async function run({ environment, nodeArguments, standby }: ProgramStart): Promise<void> {
  const program = readEnvironment(allProgramOptions, environment, allProgramOptionPairs);
  const taskTypes = program.schemaModule === undefined ? [] : await loadTaskTypes(program.schemaModule);
  const log = openLog(program.serviceName, program);
  const messages = errorMessagesOf(program);
  const logged = logEngineEvents(log.logger, messages);
  const { serviceName: service, serviceVersion: version } = program;
  const sentry = openSentry(program, { service, version }, (count, error) =>
    logged({ type: 'telemetry-dropped', sink: 'sentry', count, reason: error.message }),
  );
  const listener = sentry === undefined ? logged : toBoth(logged, reportEngineErrors(sentry, messages));
  if (sentry !== undefined) exitAfterReport(sentry, 'primary', messages);
  const engine = engineOptionsOf(program);
  const dropped = () => ({ loki: log.loki?.dropped ?? 0, sentry: sentry?.dropped ?? 0 });
  const primary = new Primary({
    ...{ engine, program, taskTypes, nodeArguments, standby, dropped, errors: sentry, listener },
    onCrashLoop: (error) => {
      sentry?.report(unexpectedError('engine processes', error, messages, 'fatal'));
      void closed(sentry).then(() => fail(error));
    },
  });

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    const startedAt = performance.now();
    listener({ type: 'shutdown-started', signal });
    const inTime = await primary.stop();
    listener({ type: 'shutdown-finished', inTime, durationMs: Math.round(performance.now() - startedAt) });
    await Promise.all([log.close(), closed(sentry)]);
    process.exit(inTime ? 0 : 1);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  // Whoever started us with a channel wants us to end with them.
  process.on('disconnect', () => void stop('disconnect'));

  const { url, opsUrl, processes } = await primary.start();
  if (stopping) return;
  listener({ type: 'listening', url, processes });
  process.send?.({ type: 'ready', url, opsUrl });
}

function toBoth(one: EngineListener, other: EngineListener): EngineListener {
  return (event) => {
    one(event);
    other(event);
  };
}

async function closed(sentry: SentrySink | undefined): Promise<void> {
  await sentry?.close(SENTRY_WITHIN_MS);
}

/** One line for each thing that is wrong, and no stack: it is for whoever typed the command. */
function fail(error: unknown): never {
  process.stderr.write(`${error instanceof SluiceError ? error.message : inspect(error)}\n`);
  process.exit(1);
}
