import type { DroppedTelemetry } from '@sluice/telemetry';

/** What of its telemetry a process could not deliver since its start. */
export type ProcessDropped = Pick<DroppedTelemetry, 'loki' | 'sentry'>;

/** Sums what of their telemetry engine processes could not deliver; one that has ended keeps its part. */
export class DroppedTotals {
  private readonly alive = new Map<object, ProcessDropped>();
  private ended: ProcessDropped = { loki: 0, sentry: 0 };

  /** `from` is the same object for each report of a process. */
  report(from: object, dropped: ProcessDropped): void {
    this.alive.set(from, dropped);
  }

  end(from: object): void {
    const last = this.alive.get(from);
    if (last === undefined) return;
    this.alive.delete(from);
    this.ended = added(this.ended, last);
  }

  /** @param own what the primary could not deliver itself */
  sum(own: ProcessDropped): ProcessDropped {
    return [...this.alive.values()].reduce(added, added(this.ended, own));
  }
}

function added(one: ProcessDropped, other: ProcessDropped): ProcessDropped {
  return { loki: one.loki + other.loki, sentry: one.sentry + other.sentry };
}
