import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { segmentNumber, segmentPath } from './digest-folder.js';
import { type DigestLine, encodeLine } from './digest-line.js';

/** How much a digest may hold. */
export interface DigestBounds {
  /** Size at which a segment is full, in bytes. @default 16 MiB */
  segmentBytes?: number;
  /** Segments kept; older ones are deleted, with what they tell. @default 8, so 128 MiB or some 500,000 lines */
  segments?: number;
}

/**
 * The append-only digest of a folder, written by any number of threads and processes of one machine.
 *
 * ```
 * digest-000004.ndjson   full
 * digest-000005.ndjson   full
 * digest-000006.ndjson   every writer appends here; the one that finds it full opens 000007
 * ```
 *
 * - Each line is one `write` on a descriptor opened with O_APPEND: the kernel moves to the end and writes as
 *   one step, so lines of different writers never mix. (Local file systems promise that. NFS does not: give
 *   each machine a folder of its own.)
 * - Segments are numbered upwards and never renamed. A rename would race: two writers that both find the
 *   file full would rotate twice, and the second would push out lines just written.
 * - A line is in the page cache when `append` returns: it survives the death of the process, like an append
 *   to Redis with `appendfsync everysec` it may miss the last moments before a power cut. Where that matters,
 *   add an `fdatasync` here.
 */
export class DigestWriter {
  readonly #folder: string;
  readonly #segmentBytes: number;
  readonly #segments: number;
  #descriptor: number | undefined;

  constructor(folder: string, bounds: DigestBounds = {}) {
    this.#folder = folder;
    this.#segmentBytes = bounds.segmentBytes ?? 16 * 1024 * 1024;
    this.#segments = bounds.segments ?? 8;
  }

  /**
   * Appends one line. Blocks the thread for the few microseconds of a small write, which costs less than a
   * trip through the thread pool.
   *
   * @throws Error when the line could not be written whole; the task then fails and is retried.
   */
  append(line: DigestLine): void {
    const bytes = encodeLine(line);
    const written = writeSync(this.#writable(), bytes);
    if (written !== bytes.length) {
      throw new Error(
        `only ${written} of ${bytes.length} bytes fitted into the digest: is the disk of ${this.#folder} full?`,
      );
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** The segment to write to. Asks the file each time: other writers fill it, and may have deleted it, too. */
  #writable(): number {
    if (this.#descriptor !== undefined) {
      const { size, nlink } = fstatSync(this.#descriptor);
      if (size < this.#segmentBytes && nlink > 0) return this.#descriptor;
      this.close();
    }
    this.#descriptor = this.#openNewest();
    return this.#descriptor;
  }

  #openNewest(): number {
    mkdirSync(this.#folder, { recursive: true });
    const existing = readdirSync(this.#folder)
      .map(segmentNumber)
      .filter((segment) => segment !== undefined);
    let newest = Math.max(1, ...existing);
    let descriptor = openSync(segmentPath(this.#folder, newest), 'a');
    if (fstatSync(descriptor).size >= this.#segmentBytes) {
      closeSync(descriptor);
      newest += 1;
      descriptor = openSync(segmentPath(this.#folder, newest), 'a');
    }
    for (const segment of existing) {
      if (segment <= newest - this.#segments) rmSync(segmentPath(this.#folder, segment), { force: true });
    }
    return descriptor;
  }
}
