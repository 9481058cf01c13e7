import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** Where figures were taken: without it they mean nothing. */
export interface Circumstances {
  at: string;
  /** Commit of the checkout, with `+` when files differ from it; undefined outside of one. */
  commit: string | undefined;
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  generator: string;
  /** Processes that wanted a core before the bench began, average of a minute. */
  loadAverage: number;
}

export function circumstances(generator: string): Circumstances {
  const processors = cpus();
  return {
    at: new Date().toISOString(),
    commit: commitOfCheckout(),
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    generator,
    loadAverage: loadavg()[0] ?? 0,
  };
}

/** Writes `bench/results/<time>.json`, and returns its path. */
export function writeResults(at: string, results: object): string {
  const directory = join(PACKAGE, 'results');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${at.replace(/[:.]/g, '-')}.json`);
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}

function commitOfCheckout(): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: PACKAGE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return (
      git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    );
  } catch {
    return undefined; // no checkout, or no git
  }
}
