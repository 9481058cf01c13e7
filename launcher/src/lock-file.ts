import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

const LOOK_EVERY_MS = 200;
/** Nothing that is done under a lock takes so long: whoever held it was killed, and its process id is another's by now. */
const STALE_AFTER_MS = 15 * 60_000;

/** Does something while no other process does it under the same lock; waits for its turn. */
export async function holdingLock<T>(path: string, act: () => Promise<T>): Promise<T> {
  while (!take(path)) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  try {
    return await act();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (isStale(path)) rmSync(path, { force: true });
    return false;
  }
}

function isStale(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_AFTER_MS) return true;
    const holder = Number(readFileSync(path, 'utf8'));
    return holder > 0 && !isAlive(holder); // empty while its holder is just writing it
  } catch {
    return false; // given back meanwhile
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's
  }
}
