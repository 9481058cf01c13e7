import { delimiter } from 'node:path';

/** Where a Redis server is looked for. */
export interface RedisSearch {
  /** Folder for what the search installs or logs. */
  dataDir: string;
  /** `PATH` and `REDIS_SERVER_BIN` are looked at; all of it is handed to the package manager. */
  environment: Readonly<Record<string, string | undefined>>;
  /** One line about what takes long. */
  onProgress?: (line: string) => void;
}

/** The folders of the PATH. */
export function foldersOf(environment: RedisSearch['environment']): string[] {
  return (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
}
