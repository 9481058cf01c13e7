import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';

const LARGEST_BYTES = 50 * 1024 * 1024;

/** The log of one program: one file, one older generation beside it, never more than 50 MiB each for long. */
export class LogFile {
  readonly path: string;
  /** To be handed to the program as its output. Opened for appending, so that truncating is safe. */
  readonly descriptor: number;

  constructor(dataDir: string, name: string) {
    const folder = join(dataDir, 'logs');
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, `${name}.log`);
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.1`);
    this.descriptor = openSync(this.path, 'a');
  }

  get size(): number {
    return statSync(this.path).size;
  }

  /** What was written for people rather than as log lines since the file had this size: its lines that are no JSON. */
  complaintSince(offset: number): string {
    const text = readFileSync(this.path).subarray(offset).toString();
    return text
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('{'))
      .join('\n');
  }

  /** Moves what is there to the older generation when it has grown too large. */
  rotate(): void {
    if (this.size <= LARGEST_BYTES) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
