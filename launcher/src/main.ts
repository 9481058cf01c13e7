import { SluiceError } from '@sluice/contract';
import { down } from './down.js';
import { keep } from './keep.js';
import { followLogs } from './logs.js';
import { placesOf } from './places.js';
import { findRedis } from './redis-binary.js';
import { ROOT } from './root.js';
import { start } from './start.js';
import { up } from './up.js';

const COMMANDS =
  'up (start in the background), down (end it), logs (follow them), start (run in the foreground), redis (find or install it)';

async function main(command: string | undefined): Promise<number> {
  process.chdir(ROOT); // the control socket is reached by a short path
  const places = placesOf(ROOT, process.env.SLUICE_DATA_DIR);
  switch (command) {
    case 'up':
      return up(places);
    case 'start':
      return start(places, process.env);
    case 'keep': // by up, for the background
      if (!process.connected) return 1; // up was killed before we had begun
      return keep(places, process.env, (report) => {
        if (report.type !== 'running' && report.type !== 'taken') console.log(report.line);
        if (process.connected) process.send?.(report);
      });
    case 'down':
      return down(places);
    case 'logs':
      await followLogs(places.logs);
      return 0;
    case 'redis': {
      const found = await findRedis({
        dataDir: places.data,
        environment: process.env,
        onProgress: (line) => console.log(line),
      });
      console.log(`Redis ${found.version}: ${found.program}`);
      return 0;
    }
    default:
      console.error(`${command ?? 'no command'}: not a command of the launcher; allowed: ${COMMANDS}`);
      return 1;
  }
}

process.stdout.on('error', () => process.exit(0)); // make logs | head
try {
  process.exit(await main(process.argv[2]));
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  console.error(error.message);
  process.exit(1);
}
