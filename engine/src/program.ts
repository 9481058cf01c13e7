import { readEnvironment, SluiceError } from '@sluice/contract';
import { errorMessagesOf, logEngineEvents, openLog } from '@sluice/telemetry';
import { Primary } from './cluster/primary.js';
import { engineNodeArguments } from './cluster/young-generation.js';
import { allProgramOptionPairs, allProgramOptions, engineOptionsOf } from './program-options.js';
import { loadTaskTypes } from './validation/schema-module.js';

// Nothing is left to do, and nothing was started: a schema module waits for something that never comes.
process.once('beforeExit', () =>
  fail(new SluiceError('INVALID_OPTIONS', 'SCHEMA_MODULE never finishes loading')),
);

async function main(): Promise<void> {
  const program = readEnvironment(allProgramOptions, process.env, allProgramOptionPairs);
  const taskTypes = program.schemaModule === undefined ? [] : await loadTaskTypes(program.schemaModule);
  const log = openLog(program.serviceName, program);
  const listener = logEngineEvents(log.logger, errorMessagesOf(program));
  const engine = engineOptionsOf(program);
  const nodeArguments = engineNodeArguments(process.execArgv, process.env.NODE_OPTIONS);
  const droppedLogLines = () => log.loki?.dropped ?? 0;
  const primary = new Primary({
    ...{ engine, program, taskTypes, nodeArguments, droppedLogLines, listener },
    onCrashLoop: fail,
  });

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    const startedAt = performance.now();
    listener({ type: 'shutdown-started', signal });
    const inTime = await primary.stop();
    listener({ type: 'shutdown-finished', inTime, durationMs: Math.round(performance.now() - startedAt) });
    await log.close();
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

/** One line for each thing that is wrong, and no stack: it is for whoever typed the command. */
function fail(error: unknown): never {
  if (error instanceof SluiceError) console.error(error.message);
  else console.error(error);
  process.exit(1);
}

main().catch(fail);
