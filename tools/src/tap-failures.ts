/** A test that failed, or a test file that did not even report its tests. */
export interface TestFailure {
  readonly name: string;
  /** Where and why, line by line. */
  readonly why: readonly string[];
}

/** `not ok` of a test, which is no failure when it was to do or skipped. */
const FAILED = /^( *)not ok \d+ - (?!.* # (?:TODO|SKIP)\b)(.*)$/;
/** So much is shown of the diagnostics of a failure. */
const MOST_LINES = 20;
/** How many lines at most of these; the error itself has what they leave. */
const MOST = { location: 1, expected: 3, actual: 3, stack: 4 } as const;
/** Of the runner itself: says nothing of the test. */
const INNER_FRAME = /\(?node:|^ *(?:new )?(?:SafePromise|Promise) /;
const LONGEST_LINE = 300;

/** The tests that failed, from what Node's TAP reporter has written: each with the diagnostics that follow it. */
export function tapFailures(tap: string): TestFailure[] {
  const lines = tap.split('\n');
  return lines.flatMap((line, at) => {
    const [, indent, name] = FAILED.exec(line) ?? [];
    return indent === undefined || name === undefined
      ? []
      : [{ name, why: diagnosticsAfter(lines, at, indent) }];
  });
}

/** The YAML block that follows a line: `---`, keys with values of one line or of indented ones, `...`. */
function diagnosticsAfter(lines: readonly string[], at: number, indent: string): string[] {
  const margin = `${indent}  `;
  if (lines[at + 1] !== `${margin}---`) return [];
  const end = lines.indexOf(`${margin}...`, at + 2);
  const block = lines.slice(at + 2, end === -1 ? undefined : end).map((line) => line.slice(margin.length));
  const part = (key: keyof typeof MOST): string[] => cut(linesOf(block, key), MOST[key]);
  const [where, after] = [part('location'), [...part('expected'), ...part('actual'), ...part('stack')]];
  const error = cut(linesOf(block, 'error'), MOST_LINES - where.length - after.length);
  return [...where, ...error, ...after];
}

/** The line of a key and those of its value. */
function linesOf(block: readonly string[], key: string): string[] {
  const from = block.findIndex((line) => line.startsWith(`${key}:`));
  if (from === -1) return [];
  const next = block.findIndex((line, index) => index > from && /^\w/.test(line));
  const value = block.slice(from, next === -1 ? undefined : next).filter((line) => line.trim() !== '');
  return key === 'stack' ? value.filter((line) => !INNER_FRAME.test(line)) : value;
}

function cut(lines: readonly string[], most: number): string[] {
  const kept = lines.length > most ? [...lines.slice(0, most - 1), '  …'] : lines;
  return kept.map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));
}
