import { describeBar } from './bars.js';
import type { Findings, Scenario, Table } from './scenario.js';
import type { Spread } from './statistics.js';

/** All that is printed about one scenario. */
export function reportOf(scenario: Scenario, { tables, notes, bars }: Findings): string {
  return [
    `${scenario.name} (${scenario.requirements.join(', ')}): ${scenario.question}`,
    ...tables.map((table) => `\n${textOf(table)}`),
    '',
    ...notes,
    ...bars.map(describeBar),
  ].join('\n');
}

/** A table with its columns in line. */
export function textOf({ title, columns, rows }: Table): string {
  const lines = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const aligned = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [title, ...aligned.map((line) => `  ${line}`)].join('\n');
}

/** `101,800 (99,120–103,002)`, or with digits behind the point `0.66 (0.64–0.67)`. */
export function spreadText({ median, min, max }: Spread, digits = 0): string {
  if (Number.isNaN(median)) return numberText(median);
  return `${numberText(median, digits)} (${numberText(min, digits)}–${numberText(max, digits)})`;
}

/** A number for people; a dash where there is none. */
export function numberText(value: number, digits = 0): string {
  if (Number.isNaN(value)) return '-';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** CPU seconds, or nothing where they are not known or there are none. */
export function cpuText(seconds: number): string {
  return numberText(seconds, 2);
}
