import type { ConsumerListener } from '@sluice/telemetry';
import type { ResolvedOptions } from '../options.js';
import type { TestHandlers } from './test-handlers.js';

/** What the consumers of a group are made of: the options of `createConsumer`, with the same defaults, and these. */
export interface TestGroupOptions extends Partial<ResolvedOptions> {
  readonly handlers: TestHandlers;
  /** Told what happens, as with a consumer. */
  readonly listener?: ConsumerListener;
  /**
   * Chance, from 0 up to 1, for the jitter of back-offs.
   * @default always 0: a back-off is exactly its base, doubled with each failure
   */
  readonly random?: () => number;
}

/** Options of `createTestQueue`. */
export interface TestQueueOptions extends TestGroupOptions {
  /**
   * The time it is at the beginning.
   * @default 2026-01-01T00:00:00Z
   */
  readonly startsAt?: Date;
  /**
   * How long to wait in real time for a handler that is seen to wait for a timer, a socket or a file, before virtual
   * time goes on to the handler's timeout. Milliseconds.
   * @default 5000
   */
  readonly patienceMs?: number;
  /**
   * Calls of handlers after which the queue gives up: tasks that add tasks may go on for ever.
   * @default 100000
   */
  readonly maxRuns?: number;
}
