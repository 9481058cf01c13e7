import type { ConsumerListener } from '@sluice/telemetry';

/** Reports once that Redis is lost and once that it is back, however many connections a thread has. */
export class RedisHealth {
  readonly #thread: string;
  readonly #report: ConsumerListener;
  readonly #down = new Set<string>();

  constructor(thread: string, report: ConsumerListener) {
    this.#thread = thread;
    this.#report = report;
  }

  /** The listener of one connection. */
  watch(connection: string): (up: boolean, reason: string) => void {
    return (up, reason) => {
      const lostBefore = this.#down.size > 0;
      if (up) this.#down.delete(connection);
      else this.#down.add(connection);
      const lost = this.#down.size > 0;
      if (lost && !lostBefore) this.#report({ type: 'redis-lost', thread: this.#thread, reason });
      if (!lost && lostBefore) this.#report({ type: 'redis-back', thread: this.#thread });
    };
  }
}
