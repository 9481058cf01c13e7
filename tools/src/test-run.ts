import { PassThrough } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import type { TestQueue } from './test-queue.js';

export interface TestRunPlan {
  /** Test files that run beside each other. */
  atOnce: number;
  /** What a test file may take. */
  timeoutMs: number;
  /** Ends all that runs. */
  signal: AbortSignal;
}

/** What came of all test files. */
export interface TestTotals {
  /** The tests that failed, each with its file. */
  readonly failed: readonly string[];
  /** Tests that passed, were skipped and so on, as the runner of Node counts them. */
  readonly counts: Readonly<Record<string, number>>;
  readonly files: readonly { readonly file: string; readonly seconds: number }[];
}

/** The part of an event of the test runner that is looked at here. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly nesting?: number;
    readonly message?: string;
    readonly todo?: string | boolean;
  };
}

/** What the runner says at the end of a file. */
const COUNT = /^(tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/;
const OWN_DURATION = /^duration_ms /;

/** Runs test files in the order of the queue, each in a process of its own, and prints what the tests say. */
export async function runTestFiles(queue: TestQueue, plan: TestRunPlan): Promise<TestTotals> {
  const events = new PassThrough({ objectMode: true });
  const printer = events.pipe(new spec());
  const printed = new Promise((resolve) => printer.once('end', resolve));
  printer.pipe(process.stdout);
  const failed: string[] = [];
  const counts: Record<string, number> = {};
  const files: { file: string; seconds: number }[] = [];

  const take = (event: TestEvent, file: string): void => {
    const { name = '', nesting, message = '', todo } = event.data;
    if (event.type === 'test:fail' && (todo === undefined || todo === false))
      failed.push(`${name} (${file})`);
    if (event.type === 'test:summary') return;
    if (event.type === 'test:diagnostic' && nesting === 0) {
      const [, what, count] = COUNT.exec(message) ?? [];
      if (what !== undefined) counts[what] = (counts[what] ?? 0) + Number(count);
      if (what !== undefined || OWN_DURATION.test(message)) return;
    }
    events.write(event);
  };
  const worker = async (): Promise<void> => {
    for (let file = queue.take(); file !== undefined; file = queue.take()) {
      const startedAt = performance.now();
      await runFile(file, plan, take);
      queue.finished(file);
      files.push({ file, seconds: (performance.now() - startedAt) / 1000 });
    }
  };
  await Promise.all(Array.from({ length: plan.atOnce }, worker));
  events.end();
  await printed;
  return { failed, counts, files };
}

function runFile(
  file: string,
  { timeoutMs, signal }: TestRunPlan,
  take: (event: TestEvent, file: string) => void,
): Promise<void> {
  const stream = run({ files: [file], concurrency: 1, timeout: timeoutMs, signal });
  stream.on('data', (event: TestEvent) => take(event, file));
  return new Promise((resolve, reject) => {
    stream.once('end', resolve).once('error', reject);
  });
}
