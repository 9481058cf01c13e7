import { join, resolve } from 'node:path';

/** Where the launcher keeps things, below the root of the project. */
export interface Places {
  root: string;
  data: string;
  logs: string;
  /** What Redis has stored: stays when everything has been ended. */
  redis: string;
  /** What the handlers of the example write. */
  digest: string;
  controlSocket: string;
  runFile: string;
}

/**
 * All in one folder: `.data`, which `make clean` deletes, unless another is given. Each such folder has its own
 * launcher, its own Redis and its own queue.
 */
export function placesOf(root: string, given: string | undefined): Places {
  const data = resolve(root, given || '.data');
  return {
    root,
    data,
    logs: join(data, 'logs'),
    redis: join(data, 'redis'),
    digest: join(data, 'digest'),
    controlSocket: join(data, 'control.sock'),
    runFile: join(data, 'run.json'),
  };
}
