import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARY_FOLDERS = ['/usr/lib', '/usr/local/lib', '/usr/lib64'];

/** libfaketime for programs with threads, where it is installed (Debian: the package `faketime`). */
export function fakeTimeLibrary(): string | undefined {
  const folders = LIBRARY_FOLDERS.filter(existsSync).flatMap((folder) => [
    join(folder, 'faketime'),
    ...readdirSync(folder).map((name) => join(folder, name, 'faketime')),
  ]);
  return folders.map((folder) => join(folder, 'libfaketimeMT.so.1')).find(existsSync);
}

/** Environment of a process whose time of day is off by so much; the time that only runs on stays as it is. */
export function withClockAhead(library: string, seconds: number): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME: `+${seconds}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DISABLE_SHM: '1',
  };
}
