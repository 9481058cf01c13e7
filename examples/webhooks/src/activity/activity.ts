import type { DigestLine } from '../digest/digest-line.js';

/** What happened in one repository. */
export interface RepositoryActivity {
  /** Tasks worked off, each once. */
  events: number;
  /** Sums of what the tasks counted: pushes, commits, issues_opened ... */
  counts: Record<string, number>;
}

/**
 * Per-repository counters, worked out from the lines of a digest.
 *
 * Exact although tasks are delivered at least once: an id that was counted is not counted again. A counter
 * that every run increments would be too high by the number of duplicates, and nothing could tell.
 */
export class Activity {
  readonly #counted = new Set<string>();
  readonly #repositories = new Map<string, RepositoryActivity>();
  #repeats = 0;

  add(line: DigestLine): void {
    if (this.#counted.has(line.task_id)) {
      this.#repeats += 1;
      return;
    }
    this.#counted.add(line.task_id);
    const activity = this.#of(line.repository ?? '(no repository)');
    activity.events += 1;
    for (const [counter, add] of Object.entries(line.counts)) {
      activity.counts[counter] = (activity.counts[counter] ?? 0) + add;
    }
  }

  /** Lines that were not counted because an earlier run of the same task was. */
  get repeats(): number {
    return this.#repeats;
  }

  /** The busiest first. */
  repositories(): [string, RepositoryActivity][] {
    return [...this.#repositories].sort(([, a], [, b]) => b.events - a.events);
  }

  #of(repository: string): RepositoryActivity {
    let activity = this.#repositories.get(repository);
    if (activity === undefined) {
      activity = { events: 0, counts: {} };
      this.#repositories.set(repository, activity);
    }
    return activity;
  }
}
