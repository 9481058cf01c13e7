import { SluiceError } from '@sluice/contract';
import { BenchFault } from './bench-fault.js';
import { killStarted } from './child.js';
import type { Running } from './running.js';

let interrupted = false;

/** Without this a signal would leave servers behind, and the temporary folder of Redis. */
export function stopOnSignals(running: Running): void {
  const stop = async (exitCode: number): Promise<void> => {
    interrupted = true;
    console.error('interrupted: ending all that was started');
    killStarted();
    await running.stopAll();
    process.exit(exitCode);
  };
  process.on('SIGINT', () => void stop(130));
  process.on('SIGTERM', () => void stop(143));
}

/** Ends a program: one line for what can be expected to go wrong, a stack only for what cannot. */
export function fail(error: unknown): void {
  if (interrupted) return; // of course it failed: its servers were taken away
  if (error instanceof SluiceError) console.error(error.message);
  else if (error instanceof BenchFault) console.error(`no figures: ${error.message}`);
  else console.error(error);
  process.exit(1);
}
