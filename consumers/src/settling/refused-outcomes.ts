import type { ConsumerListener } from '@sluice/telemetry';
import { refusalOf } from '../redis/redis-link.js';

/** How often it is said of a stream that Redis goes on refusing, for the same reason. */
const SAY_AGAIN_MS = 60_000;

/**
 * Says that Redis refuses what became of tasks. That is kept and tried again for as long as it takes, and from outside
 * such tasks look as if they never ended.
 */
export class RefusedOutcomes {
  readonly #report: ConsumerListener;
  readonly #now: () => number;
  /** When it was said last, by stream and code of the error: there are few of both. */
  readonly #said = new Map<string, number>();

  /** @param now milliseconds of any clock that goes forward */
  constructor(report: ConsumerListener, now: () => number = () => performance.now()) {
    this.#report = report;
    this.#now = now;
  }

  /** Notes why outcomes were not written; says so if Redis answered with an error that does not pass by itself. */
  note(stream: string, reason: unknown): void {
    const code = refusalOf(reason);
    // Without a group nothing is pending: FLUSHALL took it all, and the group is made anew.
    if (code === undefined || code === 'NOGROUP') return;
    const key = `${stream} ${code}`;
    const now = this.#now();
    if (now - (this.#said.get(key) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN_MS) return;
    this.#said.set(key, now);
    this.#report({ type: 'outcomes-refused', stream, reason: (reason as Error).message }); // it has a code
  }
}
