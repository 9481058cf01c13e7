import { join } from 'node:path';

/** Where the launcher keeps things, below the root of the project. */
export interface Places {
  root: string;
  data: string;
  logs: string;
  /** What Redis has stored: stays when everything has been ended. */
  redis: string;
  controlSocket: string;
  runFile: string;
}

/** All below `.data`, which `make clean` deletes. */
export function placesOf(root: string): Places {
  const data = join(root, '.data');
  return {
    root,
    data,
    logs: join(data, 'logs'),
    redis: join(data, 'redis'),
    controlSocket: join(data, 'control.sock'),
    runFile: join(data, 'run.json'),
  };
}
