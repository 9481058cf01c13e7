import { runningLauncher } from './control.js';
import { controlPathOf, Keeper } from './keeper.js';
import type { KeeperReport } from './keeper-report.js';
import { followLogs } from './logs.js';
import { welcome } from './welcome.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** `npm start`: as `make up`, in the foreground, with the logs, until Ctrl-C. Resolves with the exit code. */
export async function start(root: string, environment: Environment): Promise<number> {
  const running = await runningLauncher(controlPathOf(root));
  if (running !== undefined) {
    console.error(`Sluice runs already (make down ends it):\n\n${welcome(running)}`);
    return 1;
  }
  return keep(root, environment, (report) => {
    switch (report.type) {
      case 'progress':
        console.log(report.line);
        return;
      case 'failed':
        console.error(report.line);
        return;
      case 'running':
        console.log(`Sluice is running (Ctrl-C ends it):\n\n${welcome(report.state)}`);
        void followLogs(root, 0);
        return;
    }
  });
}

/** Runs all in this process and reports; resolves with the exit code when it has been ended. */
export function keep(
  root: string,
  environment: Environment,
  report: (report: KeeperReport) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const keeper = new Keeper({
      root,
      environment,
      onProgress: (line) => report({ type: 'progress', line }),
      onGivenUp: (line) => {
        report({ type: 'failed', line });
        resolve(1);
      },
    });
    const stop = (): void => {
      void keeper.stop().then((line) => {
        report({ type: 'progress', line });
        resolve(0);
      });
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    keeper.start().then(
      (state) => report({ type: 'running', state }),
      (error: unknown) => {
        report({ type: 'failed', line: error instanceof Error ? error.message : String(error) });
        resolve(1);
      },
    );
  });
}
