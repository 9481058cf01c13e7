import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestFailure, tapFailures } from './tap-failures.js';
import type { TestQueue } from './test-queue.js';

export interface TestRunPlan {
  /** Test files that run beside each other, and one more that mostly waits. */
  atOnce: number;
  /** What a test file may take. */
  timeoutMs: number;
  /** Where the reports of the test files are put. */
  folder: string;
  /** Ends all that runs. */
  signal: AbortSignal;
  /** What is added to the environment of a test file, for all it starts, processes and threads. */
  environmentOf: (file: string) => Record<string, string>;
}

/** What came of all test files. */
export interface TestTotals {
  /** The tests that failed. */
  readonly failed: readonly (TestFailure & { readonly file: string })[];
  /** Tests that passed, were skipped and so on, as the runner of Node counts them. */
  readonly counts: Readonly<Record<string, number>>;
  readonly files: readonly { readonly file: string; readonly seconds: number }[];
}

/** What came of one test file. */
interface FileReport {
  readonly failed: readonly TestFailure[];
  readonly counts: Readonly<Record<string, number>>;
}

/** What Node's test runner says at the end of a file: once for all files is enough. */
const SUMMARY_LINE = /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+\n/gm;
const COUNT = /^# (tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/gm;
/** For a test file that is told to end. */
const KILL_AFTER_MS = 10_000;
/** For what a test file has written to arrive when it has ended. */
const LAST_WORDS_MS = 5_000;
/** Of what a test file has written, when it does not report what failed. */
const LAST_LINES = 20;

/** Runs test files in the order of the queue, each in a process of its own, and prints what its tests say when it ends. */
export async function runTestFiles(queue: TestQueue, plan: TestRunPlan): Promise<TestTotals> {
  const failed: (TestFailure & { file: string })[] = [];
  const counts: Record<string, number> = {};
  const files: { file: string; seconds: number }[] = [];
  const worker = async (number: number): Promise<void> => {
    const next = () => queue.take(number < plan.atOnce ? 'any' : 'mostly-waiting');
    for (let file = next(); file !== undefined; file = next()) {
      const startedAt = performance.now();
      const report = await runFile(file, join(plan.folder, `report-${number}.tap`), plan);
      queue.finished(file);
      files.push({ file, seconds: (performance.now() - startedAt) / 1000 });
      failed.push(...report.failed.map((failure) => ({ ...failure, file })));
      for (const [what, count] of Object.entries(report.counts)) counts[what] = (counts[what] ?? 0) + count;
    }
  };
  await Promise.all(Array.from({ length: plan.atOnce + 1 }, (_, number) => worker(number)));
  return { failed, counts, files };
}

async function runFile(
  file: string,
  reportFile: string,
  { timeoutMs, signal, environmentOf }: TestRunPlan,
): Promise<FileReport> {
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  const report = ['--test-reporter=tap', `--test-reporter-destination=${reportFile}`];
  rmSync(reportFile, { force: true }); // that of the file before
  const child = spawn(process.execPath, [...reporters, ...report, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environmentOf(file) },
  });
  let output = '';
  const add = (chunk: string) => {
    output += chunk;
  };
  child.stdout.setEncoding('utf8').on('data', add);
  child.stderr.setEncoding('utf8').on('data', add);
  let isOverdue = false;
  const end = () => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  };
  const limit = setTimeout(() => {
    isOverdue = true;
    end();
  }, timeoutMs);
  signal.addEventListener('abort', end);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
    // Something that a test has left behind may hold its output open.
    child.once('exit', (exitCode) => setTimeout(() => resolve(exitCode), LAST_WORDS_MS).unref());
  });
  clearTimeout(limit);
  signal.removeEventListener('abort', end);
  process.stdout.write(output.replace(SUMMARY_LINE, ''));
  if (isOverdue) return failure(`still ran after ${timeoutMs / 1000} s`, output);
  const found = reportOf(reportFile, output);
  // A process that ends before its tests are through reports none of them, or only some.
  return code === 0 || found.failed.length > 0 ? found : failure(`ended with ${code ?? 'a signal'}`, output);
}

function reportOf(reportFile: string, output: string): FileReport {
  const tap = existsSync(reportFile) ? readFileSync(reportFile, 'utf8') : '';
  const failed = tapFailures(tap);
  const counts = [...tap.matchAll(COUNT)].map(([, what = '', count]) => [what, Number(count)] as const);
  return counts.length > 0
    ? { failed, counts: Object.fromEntries(counts) }
    : failure('reported nothing', output);
}

function failure(name: string, output: string): FileReport {
  const why = output.trimEnd().split('\n').slice(-LAST_LINES);
  return { failed: [{ name, why }], counts: { tests: 1, fail: 1 } };
}
