import { fork } from 'node:child_process';
import { ControlClient } from './control.js';
import type { KeeperReport } from './keeper-report.js';
import { LogFile } from './log-file.js';
import type { Places } from './places.js';
import { welcome } from './welcome.js';

const MAIN = new URL('./main.js', import.meta.url);
const INTERRUPTED = 130;

/** `make up`: starts all in the background and returns when it is ready. Resolves with the exit code. */
export async function up(places: Places): Promise<number> {
  for (;;) {
    const running = await ControlClient.connect(places.controlSocket);
    const code = running === undefined ? await startInBackground(places) : await joinRunning(running);
    if (code !== undefined) return code;
  }
}

/** A launcher is there already: one may have to wait until it has started. Nothing when it is gone after all. */
async function joinRunning(launcher: ControlClient): Promise<number | undefined> {
  const first = await launcher.until(['starting', 'running', 'ending', 'ended']);
  if (first?.phase === 'starting') console.log('Sluice is being started already, waiting for it');
  const state = await launcher.until(['running', 'ended']);
  if (state?.phase !== 'running') {
    await launcher.gone();
    return undefined;
  }
  launcher.close();
  console.log(`Sluice runs already (make down ends it):\n\n${welcome(state.run)}`);
  return 0;
}

/** Nothing when another command was faster. */
function startInBackground(places: Places): Promise<number | undefined> {
  const log = new LogFile(places.logs, 'launcher');
  const output = log.descriptor;
  // The one that stays, in a process group of its own: it outlives the terminal.
  const child = fork(MAIN, ['keep'], { detached: true, stdio: ['ignore', output, output, 'ipc'] });
  log.close();
  let isInterrupted = false;
  const interrupt = (): void => {
    isInterrupted = true;
    child.kill('SIGTERM');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return new Promise((resolve) => {
    const finish = (code: number | undefined): void => {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      child.off('exit', onExit);
      if (child.connected) child.disconnect();
      child.unref();
      resolve(code);
    };
    let end: { code: number | undefined } | undefined;
    // 'disconnect' follows the last message. It can come before or after 'exit'.
    const disconnected = new Promise<void>((gone) => child.once('disconnect', gone));
    const onExit = (): void => {
      void disconnected.then(() => {
        if (end === undefined && !isInterrupted) {
          console.error(`the launcher ended at its start without a word; see ${log.path}`);
        }
        finish(end === undefined ? (isInterrupted ? INTERRUPTED : 1) : end.code);
      });
    };
    child.once('exit', onExit);
    child.on('message', (report: KeeperReport) => {
      switch (report.type) {
        case 'progress':
          console.log(report.line);
          return;
        case 'failed':
          console.error(report.line);
          end = { code: 1 };
          return;
        case 'ended': // by Ctrl-C here, or by make down elsewhere
          console.log(report.line);
          end = { code: isInterrupted ? INTERRUPTED : 1 };
          return;
        case 'taken':
          end = { code: undefined };
          return;
        case 'running':
          console.log(`Sluice is running (make logs follows, make down ends it):\n\n${welcome(report.run)}`);
          finish(0);
          return;
      }
    });
  });
}
