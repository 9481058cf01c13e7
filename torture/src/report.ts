import type { Trial } from './trial.js';

const COLUMNS = ['promise', 'measured', 'bar', 'held'] as const;
const VERDICTS = { held: 'yes', missed: 'NO', skipped: 'skipped', stated: '' } as const;

/** What is printed about one trial: a table, and whether it went as wanted. */
export function reportOf({ scenario, promise, broken, seconds, findings, asWanted }: Trial): string {
  const rows = findings.map(({ what, measured, bar, verdict }) => [what, measured, bar, VERDICTS[verdict]]);
  const lines = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const table = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const verdict =
    broken === undefined
      ? `${asWanted ? 'held' : 'NOT HELD'}`
      : `with ${broken}: ${asWanted ? 'caught' : 'NOT CAUGHT'}`;
  return [`${scenario}: ${promise}`, ...table.map((line) => `  ${line}`), `  ${verdict}, ${seconds} s`].join(
    '\n',
  );
}
