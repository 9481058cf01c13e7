import { ControlClient } from './control.js';
import { keep } from './keep.js';
import { followLogs } from './logs.js';
import type { Places } from './places.js';
import { welcome } from './welcome.js';

const TAKEN = 'Sluice runs already in this checkout: make down ends it';

/** `npm start`: as `make up`, in the foreground, with the logs, until Ctrl-C. Resolves with the exit code. */
export async function start(
  places: Places,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const running = await ControlClient.connect(places.controlSocket);
  if (running !== undefined) {
    running.close();
    console.error(TAKEN);
    return 1;
  }
  return keep(places, environment, (report) => {
    switch (report.type) {
      case 'progress':
      case 'ended':
        console.log(report.line);
        return;
      case 'failed':
        console.error(report.line);
        return;
      case 'taken':
        console.error(TAKEN);
        return;
      case 'running':
        console.log(`Sluice is running (Ctrl-C ends it):\n\n${welcome(report.run)}`);
        void followLogs(places.logs, 0);
        return;
    }
  });
}
