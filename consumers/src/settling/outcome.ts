import { describeThrown } from '@sluice/contract';
import { isUnrecoverable, retryAfterOf } from '../handlers/errors.js';
import { type Backoff, backoffMs } from './backoff.js';

/** Why a task went to the dead-letter stream. */
export type DeadReason =
  /** It failed as often as it may. */
  | 'attempts-exhausted'
  /** Its handler threw `Unrecoverable`. */
  | 'unrecoverable'
  /** Its process or thread died too often while it ran. */
  | 'crashed'
  /** Poison: never handed to a handler. */
  | 'missing-field'
  | 'undecodable'
  | 'unknown-type'
  | 'schema-mismatch';

/** What a failure leaves behind as evidence. */
export interface Evidence {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/**
 * Whose fault a failure is, as far as one can tell. Failures of the downstream open the breaker of their type. While it
 * is open they cost no attempt, and those that say nothing (`RetryAfter`) neither; the fault of a task always does.
 */
export type Blame = 'downstream' | 'unknown' | 'task';

/** How a run ended, and so what becomes of the task. */
export type Outcome = Done | Retry | Dead;

export interface Done {
  readonly kind: 'done';
}

export interface Retry {
  readonly kind: 'retry';
  readonly delayMs: number;
  readonly blame: Blame;
  readonly evidence: Evidence;
}

export interface Dead {
  readonly kind: 'dead';
  readonly reason: DeadReason;
  /** Failed attempts, the last one included. */
  readonly attempts: number;
  readonly crashes: number;
  readonly blame: Blame;
  /** Until its next attempt, should it turn out that the failure does not count. */
  readonly delayMs: number;
  readonly evidence: Evidence;
}

export const DONE: Done = { kind: 'done' };

/** What a task has been through before this run. */
export interface History {
  /** Failed attempts. */
  readonly failed: number;
  /** Runs that nobody saw the end of. */
  readonly crashes: number;
}

/** How many runs nobody saw the end of, from what is known of an entry that is handed out. */
export function crashesOf(deliveries: number, failed: number, excused: number): number {
  return Math.max(0, deliveries - 1 - failed - excused);
}

/** When to give up, and how long to wait until then. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoff: Backoff;
}

/** What becomes of a task whose handler threw. */
export function outcomeOfFailure(
  thrown: unknown,
  history: History,
  policy: RetryPolicy,
  random: number = Math.random(),
): Retry | Dead {
  const evidence = evidenceOf(thrown);
  const failed = history.failed + 1;
  if (isUnrecoverable(thrown)) return dead('unrecoverable', failed, history, evidence);
  const retryAfter = retryAfterOf(thrown);
  const blame = retryAfter === undefined ? 'downstream' : 'unknown';
  const delayMs = retryAfter ?? backoffMs(policy.backoff, failed, random);
  if (failed < policy.maxAttempts) return { kind: 'retry', delayMs, blame, evidence };
  return { ...dead('attempts-exhausted', failed, history, evidence), blame, delayMs };
}

/**
 * What becomes of a task that is known to have brought down or blocked its thread. Runs that ended in a crash
 * before count against it too, as they were most likely its own doing.
 */
export function outcomeOfCrash(
  thrown: unknown,
  history: History,
  policy: RetryPolicy,
  random: number = Math.random(),
): Retry | Dead {
  const evidence = evidenceOf(thrown);
  const failed = history.failed + 1;
  if (failed + history.crashes >= policy.maxAttempts) return dead('crashed', failed, history, evidence);
  const delayMs = backoffMs(policy.backoff, failed + history.crashes, random);
  return { kind: 'retry', delayMs, blame: 'task', evidence };
}

/** What becomes of an entry that no handler can be given. */
export function outcomeOfPoison(reason: DeadReason, thrown: unknown, history: History): Dead {
  return dead(reason, history.failed, history, evidenceOf(thrown));
}

function dead(reason: DeadReason, attempts: number, history: History, evidence: Evidence): Dead {
  const { crashes } = history;
  return { kind: 'dead', reason, attempts, crashes, blame: 'task', delayMs: 0, evidence };
}

// Error texts can be megabytes (a dumped response body); the dead-letter stream keeps what helps to understand.
const MOST_NAME = 256;
const MOST_MESSAGE = 4_096;
const MOST_STACK = 16_384;

function evidenceOf(thrown: unknown): Evidence {
  try {
    const { name, message, stack } = describeThrown(thrown);
    return {
      name: clip(name, MOST_NAME),
      message: clip(message, MOST_MESSAGE),
      stack: clip(stack, MOST_STACK),
    };
  } catch {
    // Whatever was thrown (a Proxy, an error with a getter that throws), the task must still be settled.
    return { name: 'Thrown', message: 'a value that cannot be shown as text', stack: '' };
  }
}

// An error's name and message are whatever the handler made them, not always strings.
function clip(text: unknown, most: number): string {
  const whole = String(text);
  return whole.length > most ? `${whole.slice(0, most)}… (${whole.length} characters)` : whole;
}
