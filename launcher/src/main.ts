import { stopLauncher } from './control.js';
import { keep, start } from './foreground.js';
import { controlPathOf } from './keeper.js';
import { followLogs } from './logs.js';
import { ROOT } from './root.js';
import { up } from './up.js';

const COMMANDS =
  'up (start in the background), down (end it), logs (follow them), start (run in the foreground)';

async function main(command: string | undefined): Promise<number> {
  process.chdir(ROOT); // the control socket is reached by a short path
  switch (command) {
    case 'up':
      return up(ROOT);
    case 'start':
      return start(ROOT, process.env);
    case 'keep':
      return keep(ROOT, process.env, (report) => {
        if (report.type !== 'running') console.log(report.line);
        if (process.connected) process.send?.(report);
      });
    case 'down':
      console.log((await stopLauncher(controlPathOf(ROOT))) ?? 'Sluice does not run');
      return 0;
    case 'logs':
      await followLogs(ROOT);
      return 0;
    default:
      console.error(`${command ?? 'no command'}: not a command of the launcher; allowed: ${COMMANDS}`);
      return 1;
  }
}

process.exit(await main(process.argv[2]));
