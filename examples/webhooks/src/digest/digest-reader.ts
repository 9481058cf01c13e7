import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { segmentNumber, segmentPath } from './digest-folder.js';
import { type DigestLine, parseLine } from './digest-line.js';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Reads the lines of a digest once each, however many writers go on appending to it. */
export class DigestReader {
  readonly #folder: string;
  /** How far each segment has been read, up to the end of its last whole line. */
  readonly #offsets = new Map<number, number>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Passes over everything that is there now. */
  async skipToEnd(): Promise<void> {
    for (const segment of await this.#segments()) {
      this.#offsets.set(segment, (await stat(segmentPath(this.#folder, segment))).size);
    }
  }

  /**
   * Calls back for each whole line that was appended since the last call. What is no line is passed over.
   *
   * @returns how many lines were read
   */
  async read(onLine: (line: DigestLine) => void): Promise<number> {
    let lines = 0;
    for (const segment of await this.#segments()) {
      const file = await openIfThere(segmentPath(this.#folder, segment));
      if (file === undefined) continue;
      try {
        lines += await this.#readSegment(segment, file, onLine);
      } finally {
        await file.close();
      }
    }
    return lines;
  }

  async #readSegment(segment: number, file: FileHandle, onLine: (line: DigestLine) => void): Promise<number> {
    let lines = 0;
    for (;;) {
      const offset = this.#offsets.get(segment) ?? 0;
      const { bytesRead } = await file.read(this.#buffer, 0, CHUNK_BYTES, offset);
      const end = this.#buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
      if (end === 0) return lines; // nothing new, or a line that is still being written
      for (const text of this.#buffer.toString('utf8', 0, end - 1).split('\n')) {
        const line = parseLine(text);
        if (line === undefined) continue;
        lines += 1;
        onLine(line);
      }
      this.#offsets.set(segment, offset + end);
    }
  }

  async #segments(): Promise<number[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (error) {
      if (isMissing(error)) return []; // nothing has been written yet
      throw error;
    }
    return names
      .map(segmentNumber)
      .filter((segment) => segment !== undefined)
      .sort((a, b) => a - b);
  }
}

/** Writers delete old segments at any moment. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
