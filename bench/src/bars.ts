/** A figure that was promised, and what was measured. */
export interface Bar {
  /** `P-1`, or a step on the way to it. */
  requirement: string;
  what: string;
  measured: number;
  limit: number;
  is: 'at least' | 'at most' | 'below';
  unit: string;
}

export function isMet({ measured, limit, is }: Bar): boolean {
  switch (is) {
    case 'at least':
      return measured >= limit;
    case 'at most':
      return measured <= limit;
    case 'below':
      return measured < limit;
  }
}

/** One line: `missed  P-1: tasks/s of …: 0.66 (asked for: at least 0.75)`. */
export function describeBar(bar: Bar): string {
  const { requirement, what, measured, limit, is, unit } = bar;
  const verdict = isMet(bar) ? 'met   ' : 'MISSED';
  return `${verdict}  ${requirement}: ${what}: ${shown(measured)}${unit} (asked for: ${is} ${limit}${unit})`;
}

/** Three digits behind the point, so that rounding does not lift a figure over its bar. */
function shown(figure: number): string {
  return figure.toFixed(3);
}
