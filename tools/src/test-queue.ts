/**
 * What takes longest, the longest first: begun last, it would keep one core waiting for the other. Beginnings of paths, as
 * seen from the root; all others are through within seconds.
 */
const LONGEST = [
  'torture/test/',
  'test/dist/crash',
  'consumers/test/dist/conformance/',
  'consumers/test/dist/breaker',
  'launcher/test/',
  'bench/test/',
  'cli/test/',
  'test/',
  'consumers/test/',
  'engine/test/',
];

/** Files that run several scenarios at once: two of them beside each other are too much for two cores. */
const ALONE_OF_THEIR_KIND = 'torture/test/';

/**
 * Files that wait for times to pass, such as leases and seconds of a schedule, and take about half a core meanwhile: one of
 * them may run beside those that keep the cores busy.
 */
const MOSTLY_WAITING = [
  'consumers/test/dist/conformance/controls',
  'consumers/test/dist/cron',
  'consumers/test/dist/lost-leases',
  'consumers/test/dist/rate-limit',
  'consumers/test/dist/take-over',
  'engine/test/dist/receipts',
  'engine/test/dist/signals',
];

/** Files that only break promises on purpose: they say something of the tests, and nothing of the Node they run on. */
const CONTROLS = /(^|\/|-)controls\.test\.js$/;

/** All files but the controls. */
export function withoutControls(files: readonly string[]): string[] {
  return files.filter((file) => !CONTROLS.test(file));
}

/** Hands out test files to those who run them, the longest first. */
export class TestQueue {
  readonly #waiting: string[];
  readonly #running = new Set<string>();

  /** @param files paths as seen from the root */
  constructor(files: readonly string[]) {
    this.#waiting = [...files].sort((a, b) => rank(a) - rank(b));
  }

  /**
   * The next to run, until it is `finished`; undefined when there is none that may run beside the others.
   *
   * @param which `mostly-waiting`: one that leaves the cores to others
   */
  take(which: 'any' | 'mostly-waiting' = 'any'): string | undefined {
    const isKindRunning = [...this.#running].some(isAlone);
    const at = this.#waiting.findIndex(
      (file) => !(isKindRunning && isAlone(file)) && (which === 'any' || isMostlyWaiting(file)),
    );
    const [file] = at === -1 ? [] : this.#waiting.splice(at, 1);
    if (file !== undefined) this.#running.add(file);
    return file;
  }

  finished(file: string): void {
    this.#running.delete(file);
  }
}

function isAlone(file: string): boolean {
  return file.startsWith(ALONE_OF_THEIR_KIND);
}

function isMostlyWaiting(file: string): boolean {
  return MOSTLY_WAITING.some((beginning) => file.startsWith(beginning));
}

function rank(file: string): number {
  const at = LONGEST.findIndex((beginning) => file.startsWith(beginning));
  return at === -1 ? LONGEST.length : at;
}
