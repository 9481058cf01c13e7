import type { ErrorCode } from '@sluice/contract';
import type { ConsumerEvent, RingMemory } from '@sluice/telemetry';
import type { Broken } from '../broken.js';
import type { ResolvedOptions } from '../options.js';
import type { RetryPolicy } from '../settling/outcome.js';

/** What a worker thread is started with. */
export interface ThreadSetup {
  readonly index: number;
  /** Name of this thread in the group. */
  readonly consumer: string;
  readonly options: ResolvedOptions;
  /** URL of the handler module by task type; the lanes are in the same order. */
  readonly modules: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly board: SharedArrayBuffer;
  /** Where its `TaskMetrics` lie. */
  readonly metrics: SharedArrayBuffer;
  /** Where it writes down what it ran; undefined: tasks are not traced. */
  readonly spans: RingMemory | undefined;
  readonly broken: Broken | undefined;
}

/** An entry that a thread holds and that is pending for it no more. */
export interface LostLease {
  readonly lane: number;
  readonly id: string;
  /** Tells this run from a later one of the same entry, which the same thread may have been given. */
  readonly deliveries: number;
}

/** What the supervisor tells a thread. */
export type ToThread =
  /** Read no more, finish what runs, give back what has not started. */
  | { readonly type: 'stop' }
  /** Entries have been given back: look for them now. */
  | { readonly type: 'look' }
  /** Others have taken these over. Told again while the thread still holds them. */
  | { readonly type: 'leases-lost'; readonly lost: readonly LostLease[] };

/** What a thread tells the supervisor. Nothing of it is per task. */
export type FromThread =
  /** Its handlers are loaded and it reads. The policies are those of the lanes, for when the thread cannot apply them. */
  | { readonly type: 'ready'; readonly policies: readonly RetryPolicy[] }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'event'; readonly event: ConsumerEvent }
  /** It holds nothing any more. */
  | { readonly type: 'stopped' };
