import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** What is known of one task id. */
interface Fate {
  /** When its 202 arrived, in ms since 1970; undefined for ids that only the digest or the dead letters name. */
  acceptedAt: number | undefined;
  /** When its first run was done, in ms since 1970. */
  doneAt: number | undefined;
  runs: number;
  dead: boolean;
}

/** Milliseconds. */
export interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

/**
 * The books of a replay, by task id: what was promised on one side, what became of it on the other.
 *
 * An id can come up on either side first: a fast consumer has written its line before the 202 has reached
 * us, and a task whose 202 was lost on the way has a line but no promise.
 */
export class Ledger {
  sent = 0;
  unconfirmed = 0;
  unreachable = 0;
  abandoned = 0;
  readonly refused: Record<string, number> = {};
  readonly #fates = new Map<string, Fate>();
  readonly #intake: RecordableHistogram = createHistogram();
  #accepted = 0;
  #outstanding = 0;

  accept(taskId: string, ms: number, now: number): void {
    this.sent += 1;
    this.#accepted += 1;
    this.#intake.record(microseconds(ms));
    const fate = this.#fateOf(taskId);
    fate.acceptedAt = now;
    if (isOpen(fate)) this.#outstanding += 1;
  }

  refuse(code: string): void {
    this.sent += 1;
    this.refused[code] = (this.refused[code] ?? 0) + 1;
  }

  ran(taskId: string, at: number): void {
    const fate = this.#fateOf(taskId);
    if (isOpen(fate) && fate.acceptedAt !== undefined) this.#outstanding -= 1;
    fate.runs += 1;
    fate.doneAt ??= at;
  }

  died(taskId: string): void {
    const fate = this.#fateOf(taskId);
    if (isOpen(fate) && fate.acceptedAt !== undefined) this.#outstanding -= 1;
    fate.dead = true;
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** Accepted tasks that are neither done nor dead yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  outstandingIds(): string[] {
    return [...this.#fates]
      .filter(([, fate]) => fate.acceptedAt !== undefined && isOpen(fate))
      .map(([taskId]) => taskId);
  }

  /** Sums over all ids. */
  totals(): { done: number; dead: number; duplicates: number; extraRuns: number; unpromised: number } {
    const totals = { done: 0, dead: 0, duplicates: 0, extraRuns: 0, unpromised: 0 };
    for (const fate of this.#fates.values()) {
      if (fate.runs > 1) {
        totals.duplicates += 1;
        totals.extraRuns += fate.runs - 1;
      }
      if (fate.acceptedAt === undefined) totals.unpromised += 1;
      else if (fate.dead) totals.dead += 1;
      else if (fate.runs > 0) totals.done += 1;
    }
    return totals;
  }

  intakeLatency(): Percentiles {
    return percentiles(this.#intake);
  }

  /**
   * From the arrival of the 202 to the end of the first run, to the millisecond of the digest; 0 where the
   * run ended before the 202 arrived.
   */
  doneLatency(): Percentiles {
    const histogram = createHistogram();
    for (const { acceptedAt, doneAt } of this.#fates.values()) {
      if (acceptedAt === undefined || doneAt === undefined) continue;
      histogram.record(microseconds(doneAt - Math.floor(acceptedAt)));
    }
    return percentiles(histogram);
  }

  #fateOf(taskId: string): Fate {
    let fate = this.#fates.get(taskId);
    if (fate === undefined) {
      fate = { acceptedAt: undefined, doneAt: undefined, runs: 0, dead: false };
      this.#fates.set(taskId, fate);
    }
    return fate;
  }
}

function isOpen(fate: Fate): boolean {
  return fate.runs === 0 && !fate.dead;
}

/** A histogram holds whole numbers from 1. */
function microseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1_000));
}

function percentiles(histogram: RecordableHistogram): Percentiles {
  if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
  const ms = (microseconds: number) => Math.round(microseconds / 10) / 100;
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) };
}
