import { SluiceError } from '@sluice/contract';
import { AlreadyRunning, EndedWhileStarting, Keeper } from './keeper.js';
import type { KeeperReport } from './keeper-report.js';
import type { Places } from './places.js';

/** Runs all from this process and reports; resolves with the exit code when it is over. */
export function keep(
  places: Places,
  environment: Readonly<Record<string, string | undefined>>,
  report: (report: KeeperReport) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const keeper = new Keeper({
      places,
      environment,
      onProgress: (line) => report({ type: 'progress', line }),
      onEnded: ({ line, failed }) => {
        report({ type: failed ? 'failed' : 'ended', line });
        resolve(failed ? 1 : 0);
      },
    });
    // SIGHUP: the terminal of a launcher in the foreground was closed.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => keeper.endOnRequest());
    }
    let isRunning = false;
    // Whoever waits in front is gone: what it did not see start, nobody would know of.
    process.once('disconnect', () => {
      if (!isRunning) keeper.endOnRequest();
    });
    keeper.start().then(
      (run) => {
        isRunning = true;
        report({ type: 'running', run });
      },
      (error: unknown) => {
        if (error instanceof EndedWhileStarting) return; // onEnded says the rest
        if (error instanceof AlreadyRunning) report({ type: 'taken' });
        else report({ type: 'failed', line: lineOf(error) });
        resolve(1);
      },
    );
  });
}

function lineOf(error: unknown): string {
  if (error instanceof SluiceError) return error.message;
  return error instanceof Error ? `the launcher failed: ${error.message}` : String(error);
}
