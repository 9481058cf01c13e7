import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckResult } from './check.js';

/** The repack that package.json takes by alias, and whose binaries are pinned. */
const PINNED_PACKAGE = 'uws-pack';

/** Where the package is installed, and where its hashes are pinned; from the root. */
export const UWS_DIRECTORY = 'node_modules/uWebSockets.js';
export const UWS_LIST = 'engine/uws-binaries.sha256';

/** An installed `uWebSockets.js`: what it is really called, and the SHA-256 of each native binary in it. */
export interface InstalledUws {
  name: string;
  version: string;
  hashes: ReadonlyMap<string, string>;
}

/** Reads the installed package and hashes its native binaries. */
export function readInstalledUws(directory: string): InstalledUws {
  const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const hashes = new Map<string, string>();
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!path.endsWith('.node')) continue;
    const bytes = readFileSync(join(directory, path));
    hashes.set(path.replaceAll('\\', '/'), createHash('sha256').update(bytes).digest('hex'));
  }
  return { name, version, hashes };
}

/**
 * Compares what is installed with the pinned list, in the form of `sha256sum` (`cd` into the package and
 * `sha256sum -c` reads it too).
 *
 * Somebody who put the official package in by an override has chosen other binaries: that is said, not refused.
 */
export function checkUwsBinaries({ name, version, hashes }: InstalledUws, pinnedList: string): CheckResult {
  if (name !== PINNED_PACKAGE) {
    const summary = `notice: uWebSockets.js is ${name} ${version} here, not the pinned ${PINNED_PACKAGE}: its ${hashes.size} native binaries were not compared with ${UWS_LIST}`;
    return { summary, faults: [] };
  }
  const pinned = parseHashes(pinnedList);
  const faults: string[] = [];
  for (const [path, hash] of hashes) {
    const wanted = pinned.get(path);
    if (wanted === undefined) faults.push(`${path} of ${name} ${version} is not in ${UWS_LIST}`);
    else if (wanted !== hash) {
      faults.push(`${path} of ${name} ${version} has SHA-256 ${hash}, pinned is ${wanted}: do not run it`);
    }
  }
  for (const path of pinned.keys()) {
    if (!hashes.has(path)) faults.push(`${path} is pinned but missing in ${name} ${version}`);
  }
  if (pinned.size === 0) faults.push(`${UWS_LIST} pins nothing`);
  return { summary: `${hashes.size} native binaries of ${name} ${version} are the pinned ones`, faults };
}

/** The pinned list of what is installed, to be committed after reviewing a new version. */
export function pinnedListOf({ hashes }: InstalledUws): string {
  return [...hashes].map(([path, hash]) => `${hash}  ${path}\n`).join('');
}

function parseHashes(list: string): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const line of list.split('\n')) {
    const [, hash, path] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (hash !== undefined && path !== undefined) hashes.set(path, hash);
    else if (line.trim() !== '') throw new Error(`${UWS_LIST}: cannot read the line ${line}`);
  }
  return hashes;
}
