import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** Where figures were taken. */
export interface Circumstances {
  at: string;
  commit: string | undefined;
  cpu: string;
  cores: number;
  system: string;
  node: string;
  /** Processes that wanted a core before it began, average of a minute. */
  loadAverage: number;
}

export function circumstances(): Circumstances {
  const processors = cpus();
  return {
    at: new Date().toISOString(),
    commit: commitOfCheckout(),
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    loadAverage: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/** Writes `torture/results/<what>-<time>.json`, and returns its path. */
export function writeResults(what: string, at: string, results: object): string {
  const directory = join(PACKAGE, 'results');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${what}-${at.replace(/[:.]/g, '-')}.json`);
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}

function commitOfCheckout(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: PACKAGE,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined; // no checkout, or no git
  }
}
