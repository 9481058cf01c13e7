import { fork } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { runningLauncher } from './control.js';
import { controlPathOf, dataDirOf } from './keeper.js';
import type { KeeperReport } from './keeper-report.js';
import { welcome } from './welcome.js';

const MAIN = new URL('./main.js', import.meta.url);

/** `make up`: starts all in the background and returns when it is ready. Resolves with the exit code. */
export async function up(root: string): Promise<number> {
  const running = await runningLauncher(controlPathOf(root));
  if (running !== undefined) {
    console.log(`Sluice runs already (make down ends it):\n\n${welcome(running)}`);
    return 0;
  }
  const logs = join(dataDirOf(root), 'logs');
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, 'launcher.log'), 'w');
  const child = fork(MAIN, ['keep'], { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  return new Promise((resolve) => {
    child.on('message', (report: KeeperReport) => {
      switch (report.type) {
        case 'progress':
          console.log(report.line);
          return;
        case 'failed':
          console.error(report.line);
          resolve(1);
          return;
        case 'running':
          console.log(
            `Sluice is running (make logs follows, make down ends it):\n\n${welcome(report.state)}`,
          );
          child.disconnect();
          child.unref();
          resolve(0);
          return;
      }
    });
    child.once('exit', (code, signal) => {
      console.error(`the launcher ended at its start (${signal ?? `exit code ${code}`}); see ${logs}`);
      resolve(1);
    });
    // Ctrl-C while it starts: the launcher has a process group of its own and must be told.
    process.once('SIGINT', () => child.kill('SIGTERM'));
  });
}
