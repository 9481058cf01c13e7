import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';

const LARGEST_BYTES = 50 * 1024 * 1024;

/** The log of one program: the file of this run, and beside it that of the run before. */
export class LogFile {
  readonly path: string;
  /** To be handed to the program as its output. Opened for appending, so that truncating is safe. */
  readonly descriptor: number;

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, `${name}.log`);
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.1`);
    this.descriptor = openSync(this.path, 'a');
  }

  get size(): number {
    return statSync(this.path).size;
  }

  /**
   * What a program that could not start has said since the file had this size, for whoever typed the command: the
   * lines that are no JSON, and of an error nobody foresaw its message without the stack.
   */
  complaintSince(offset: number): string {
    const text = readFileSync(this.path).subarray(offset).toString();
    const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('{'));
    if (!lines.some((line) => /^\s+at /.test(line))) return lines.join('\n');
    const message = lines.find((line) => /^\S*Error\b.*: /.test(line)) ?? 'an error nobody foresaw';
    return `${message}; see ${this.path}`;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Moves what is in a log that has grown too large to its older generation: none is over 50 MiB for long. */
export function rotateLogs(folder: string): void {
  if (!existsSync(folder)) return; // somebody tidied up: no reason to end what runs
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!name.endsWith('.log') || statSync(path).size <= LARGEST_BYTES) continue;
    copyFileSync(path, `${path}.1`);
    truncateSync(path); // its program has it open: it cannot be renamed
  }
}
