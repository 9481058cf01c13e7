import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Whether a process with this id runs and its command line contains this text. */
export function isProcessOf(pid: number, commandLinePart: string): boolean {
  return commandLineOf(pid).includes(commandLinePart);
}

/** Empty when there is no such process, or when it has ended and its parent has not looked yet. */
function commandLineOf(pid: number): string {
  if (existsSync('/proc/self/cmdline')) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  }
  // macOS has no /proc. Small Linux images have no ps.
  return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
}
