// npm test: every compiled test file under the test runner of Node, then the coverage floor.
// npm test -- <text>…: only the files whose path contains one of the texts, without coverage.
// npm test -- --no-coverage: every file, without coverage, which every process a test starts pays for.
import { type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.js';
import { compiledTestFiles } from './test-files.js';

const COVERAGE = join(ROOT, 'coverage');
const COVERAGE_RAW = join(COVERAGE, 'raw');
const TAP_FILE = join(COVERAGE, 'tests.tap');
/** A test file that is still running after this long hangs: without a limit so would CI. Milliseconds. */
const TEST_TIMEOUT = 600_000;
const LINES_FLOOR = 80;

const wanted = process.argv.slice(2).filter((word) => word !== '--no-coverage');
const withCoverage = wanted.length === 0 && !process.argv.includes('--no-coverage');
const files = filesToRun();

rmSync(COVERAGE, { recursive: true, force: true });
mkdirSync(COVERAGE_RAW, { recursive: true });
const passed = await runTests();
// Coverage of a failed run says little, and its table would push the failures off the screen.
const covered = !passed || !withCoverage || (await reportCoverage());
console.log(runnerSummary());
if (!covered) console.error(`FAIL: lines covered are below ${LINES_FLOOR} %`);
process.exit(passed && covered ? 0 : 1);

function filesToRun(): string[] {
  try {
    return compiledTestFiles(ROOT, wanted);
  } catch (error) {
    console.error(`FAIL: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}

async function runTests(): Promise<boolean> {
  const reporters = [
    ['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ['--test-reporter=tap', `--test-reporter-destination=${TAP_FILE}`],
  ];
  const limits = ['--test-concurrency=2', `--test-timeout=${TEST_TIMEOUT}`];
  // Inherited by all that the tests start, processes and threads; who is killed leaves no figures.
  const env = withCoverage ? { ...process.env, NODE_V8_COVERAGE: COVERAGE_RAW } : process.env;
  return run(['--test', ...reporters.flat(), ...limits, ...files], { env });
}

/** Prints lines covered per file, and whether they reach the floor. Files that no test loads count as not covered. */
async function reportCoverage(): Promise<boolean> {
  const c8 = join(ROOT, 'node_modules', 'c8', 'bin', 'c8.js');
  return run([c8, 'report', `--temp-directory=${COVERAGE_RAW}`, `--lines=${LINES_FLOOR}`], {});
}

function run(args: readonly string[], options: SpawnOptions): Promise<boolean> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    ...options,
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', pass);
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('exit', (code) => {
      process.off('SIGTERM', pass).off('SIGINT', pass);
      resolve(code === 0);
    });
  });
}

/** What failed, and the totals as the runner itself counted them: last on the screen, where one looks for them. */
function runnerSummary(): string {
  const tap = readFileSync(TAP_FILE, 'utf8');
  const failed = tap.match(/^ *not ok \d+ - .*$/gm) ?? [];
  const totals = tap.match(/^# (tests|suites|pass|fail|cancelled|skipped|todo) \d+$/gm);
  return [...failed, ...(totals ?? ['the test runner gave no summary'])].join('\n');
}
