import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the digest is unless `DIGEST_DIR` says otherwise: `.data/digest` at the root of the project, found
 * from this file, because npm, the launcher and tests all start us in different working directories.
 */
export const DEFAULT_DIGEST_DIR = fileURLToPath(new URL('../../../../.data/digest', import.meta.url));

const SEGMENT = /^digest-(\d{6,})\.ndjson$/;

/** The number of a segment file, or undefined for files that are none. */
export function segmentNumber(fileName: string): number | undefined {
  const digits = SEGMENT.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function segmentPath(folder: string, segment: number): string {
  return join(folder, `digest-${String(segment).padStart(6, '0')}.ndjson`);
}
