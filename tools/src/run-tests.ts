// npm test: every compiled test file under the test runner of Node, then the coverage floor. Only the tests of packages that
// count for it pay for coverage, which makes each process they start take half as long again.
// npm test -- <text>…: only the files whose path contains one of the texts, without coverage.
// npm test -- --no-coverage: every file, without coverage, which every process a test starts pays for.
// npm test -- --no-controls: without the files that only show that broken promises are caught.
import { type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.js';
import { compiledTestFiles } from './test-files.js';
import { TestQueue, withoutControls } from './test-queue.js';
import { runTestFiles, type TestTotals } from './test-run.js';

const COVERAGE = join(ROOT, 'coverage');
const COVERAGE_RAW = join(COVERAGE, 'raw');
const SECONDS_FILE = join(COVERAGE, 'seconds.txt');
/** They keep somewhat more than one of two cores busy; with them runs one that mostly waits. */
const FILES_AT_ONCE = 2;
/** A test file that is still running after this long hangs: without a limit so would CI. Milliseconds. */
const FILE_TIMEOUT = 900_000;
const LINES_FLOOR = 80;
/** So many are told with their reason: the first ones tell most. */
const FAILURES_TOLD = 10;

const switches = process.argv.slice(2).filter((word) => word.startsWith('--'));
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const withCoverage = wanted.length === 0 && !switches.includes('--no-coverage');
const files = filesToRun();

process.chdir(ROOT);
rmSync(COVERAGE, { recursive: true, force: true });
mkdirSync(COVERAGE_RAW, { recursive: true });
const totals = await runTests();
const passed = totals.failed.length === 0;
// Coverage of a failed run says little, and its table would push the failures off the screen.
const covered = !passed || !withCoverage || (await reportCoverage());
console.log(summaryOf(totals));
if (!covered) console.error(`FAIL: lines covered are below ${LINES_FLOOR} %`);
process.exit(passed && covered ? 0 : 1);

function filesToRun(): string[] {
  try {
    const unknown = switches.filter((word) => !['--no-coverage', '--no-controls'].includes(word));
    if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: allowed: --no-coverage, --no-controls`);
    const all = compiledTestFiles(ROOT, wanted);
    return switches.includes('--no-controls') ? withoutControls(all) : all;
  } catch (error) {
    console.error(`FAIL: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}

async function runTests(): Promise<TestTotals> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGTERM', interrupt).once('SIGINT', interrupt);
  const queue = new TestQueue(files);
  const { signal } = interruption;
  const counted = withCoverage ? countedPackages() : [];
  const environmentOf = (file: string) =>
    counted.some((folder) => file.startsWith(folder)) ? { NODE_V8_COVERAGE: COVERAGE_RAW } : {};
  const plan = {
    atOnce: FILES_AT_ONCE,
    timeoutMs: FILE_TIMEOUT,
    folder: COVERAGE,
    signal,
    environmentOf,
  };
  const totals = await runTestFiles(queue, plan);
  if (signal.aborted) process.exit(1);
  writeFileSync(SECONDS_FILE, secondsTable(totals));
  return totals;
}

/** The folders whose lines the floor is about, with a slash at the end. */
function countedPackages(): string[] {
  const { include } = JSON.parse(readFileSync(join(ROOT, '.c8rc.json'), 'utf8')) as { include: string[] }; // our own file
  return include.map((pattern) => pattern.replace(/\*\*$/, ''));
}

/** Prints lines covered per file, and whether they reach the floor. Files that no test loads count as not covered. */
async function reportCoverage(): Promise<boolean> {
  const c8 = join(ROOT, 'node_modules', 'c8', 'bin', 'c8.js');
  return run([c8, 'report', `--temp-directory=${COVERAGE_RAW}`, `--lines=${LINES_FLOOR}`], {});
}

function run(args: readonly string[], options: SpawnOptions): Promise<boolean> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('exit', (code) => resolve(code === 0));
  });
}

/** How long each file took, the longest first. */
function secondsTable({ files: all }: TestTotals): string {
  const sorted = [...all].sort((a, b) => b.seconds - a.seconds);
  return sorted.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(7)} ${file}\n`).join('');
}

/** What failed and why, and the totals: last on the screen, where one looks for them, and kept where only the end is. */
function summaryOf({ failed, counts, files: all }: TestTotals): string {
  return [
    ...failed.flatMap(({ name, file, why }, index) => [
      `not ok ${name} (${file})`,
      ...(index < FAILURES_TOLD ? why.map((line) => `    ${line}`) : []),
    ]),
    `# files ${all.length}`,
    ...Object.entries(counts).map(([what, count]) => `# ${what} ${count}`),
  ].join('\n');
}
