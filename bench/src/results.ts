import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Findings } from './scenario.js';

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

/** What a scenario has found, as it is written down. */
export interface ScenarioResults extends Findings {
  name: string;
  question: string;
  requirements: readonly string[];
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  connections: readonly number[];
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
  return writeResult(at, 'json', `${JSON.stringify(results, null, 2)}\n`);
}

/** Writes `bench/results/<time>.<ending>`, and returns its path. */
export function writeResult(at: string, ending: string, text: string): string {
  const path = join(resultsFolder(), `${at.replace(/[:.]/g, '-')}.${ending}`);
  writeFileSync(path, text);
  return path;
}

/** Where all is kept that the bench finds; it exists then. */
export function resultsFolder(): string {
  const folder = join(PACKAGE, 'results');
  mkdirSync(folder, { recursive: true });
  return folder;
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
