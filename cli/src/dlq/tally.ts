import { table } from '../table.js';
import type { DeadLetter } from './letter.js';

interface TallyRow {
  type: string;
  reason: string;
  count: number;
  /** ISO 8601 in UTC. */
  oldest: string;
  newest: string;
}

/** Dead letters counted by type and reason. */
export class LetterTally {
  total = 0;
  readonly #rows = new Map<
    string,
    { type: string; reason: string; count: number; from: number; to: number }
  >();

  add({ type, reason, diedAt }: DeadLetter): void {
    this.total += 1;
    const key = JSON.stringify([type, reason]);
    const row = this.#rows.get(key) ?? { type, reason, count: 0, from: diedAt, to: diedAt };
    row.count += 1;
    row.from = Math.min(row.from, diedAt);
    row.to = Math.max(row.to, diedAt);
    this.#rows.set(key, row);
  }

  /** The most frequent first. */
  rows(): TallyRow[] {
    return [...this.#rows.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ type, reason, count, from, to }) => ({
        type,
        reason,
        count,
        oldest: new Date(from).toISOString(),
        newest: new Date(to).toISOString(),
      }));
  }

  lines(): string[] {
    const rows = this.rows().map(({ type, reason, count, oldest, newest }) => [
      count,
      type,
      reason || '(not ours)',
      oldest.slice(0, 19),
      newest.slice(0, 19),
    ]);
    return table([['count', 'type', 'reason', 'oldest (UTC)', 'newest (UTC)'], ...rows]).map(
      (line) => `  ${line}`,
    );
  }
}
