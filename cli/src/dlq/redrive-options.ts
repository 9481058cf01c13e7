import type { FailureLimit } from './failure-limit.js';
import type { DeadLetter } from './letter.js';
import type { CameBack } from './redriver.js';

/** What a redrive has to know of a letter. */
export type LetterRef = Pick<DeadLetter, 'id' | 'group' | 'reason' | 'sourceStream'>;

/** How carefully dead letters are sent back. */
export interface RedriveOptions {
  /** @default 'tasks:stream' */
  streamName?: string;
  /**
   * This many first; the others only once these are settled and none of them has died again. 0: no canary.
   * @default 0
   */
  canary?: number;
  /** Most redriven tasks that are not settled at any time. @default 100 */
  window?: number;
  /** Most letters per second. @default no limit */
  rate?: number;
  /** Stops when more redriven tasks than this have died again. @default 10 % of those settled */
  maxFailures?: FailureLimit;
  /** Whether to follow what becomes of the tasks; without it there is no canary, no window and no stop. @default true */
  follow?: boolean;
  /** Milliseconds to wait for tasks to be settled when nothing moves. @default 60,000 */
  timeoutMs?: number;
  /** What other groups on the stream are to see: nothing, or the task, as if it were new. @default 'nothing' */
  othersSee?: 'nothing' | 'all';
  /** New payloads by the id of the letter; all others go back with what they had. */
  payloads?: ReadonlyMap<string, Buffer>;
  /** Stops after the letter that is under way. */
  signal?: AbortSignal;
  onProgress?: (progress: RedriveProgress) => void;
}

export interface RedriveProgress {
  phase: 'canary' | 'rollout' | 'settling';
  selected: number;
  redriven: number;
  done: number;
  cameBack: number;
}

/** What a redrive has done. */
export interface RedriveReport {
  selected: number;
  redriven: number;
  /** Redriven, and settled since: their handler has resolved. */
  done: number;
  /** Redriven, and dead again. */
  cameBack: readonly CameBack[];
  /** Redriven, and not settled when we stopped looking. They are tasks in the stream like all others. */
  unsettled: number;
  /** Were gone when their turn came: somebody else has redriven or purged them. */
  gone: number;
  /** Were left alone: consumers of Sluice did not write them, so that there is nothing to send them back to. */
  notOurs: number;
  /** Why it stopped before the last letter; what was not redriven is still in the dead-letter stream. */
  stopped: string | undefined;
}
