import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

const children = new Set<ChildProcess>();
const folders = new Set<string>();
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Has a process end, by force, when this one does: a failed test, a timeout or Ctrl-C must not leave others behind. */
export function endWithUs(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

/** Has a folder go when this process does, if it still exists then. */
export function removeWithUs(folder: string): void {
  folders.add(folder);
}

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

for (const [signal, code] of Object.entries(SIGNALS)) {
  process.on(signal, () => {
    // Whoever listens too has an end of their own in mind, which will come to 'exit'.
    if (process.listenerCount(signal) === 1) process.exit(code);
  });
}
