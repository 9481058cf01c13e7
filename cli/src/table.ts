import { oneLine } from './printable.js';

/** Rows as text in columns: numbers to the right, everything else to the left. The first row is the head. */
export function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, shown(cell).length);
  }
  const isNumber = widths.map((_, i) => rows.slice(1).every((row) => typeof row[i] === 'number'));
  return rows.map((row) =>
    row
      .map((cell, i) =>
        isNumber[i] ? shown(cell).padStart(widths[i] ?? 0) : shown(cell).padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function shown(cell: string | number): string {
  return typeof cell === 'number' ? String(cell) : oneLine(cell);
}
