import { SUSPECT_CRASHES } from '../reading/retries.js';
import {
  type Blame,
  type Dead,
  type Outcome,
  outcomeOfCrash,
  outcomeOfFailure,
  type RetryPolicy,
} from '../settling/outcome.js';
import type { ReleaseReason } from '../settling/outcome-writer.js';
import type { HeldEntry } from '../thread/thread-protocol.js';

/** How a thread came to its end. */
export type End =
  /** It was terminated because it stood still. */
  | { readonly kind: 'hung'; readonly silentMs: number }
  /** It died by itself: an uncaught error, process.exit, no memory left. */
  | { readonly kind: 'died'; readonly detail: string }
  /** It was terminated because its time to finish was over. */
  | { readonly kind: 'stopped' };

/** An entry whose run has failed. */
interface FailedEntry {
  readonly id: string;
  readonly deliveries: number;
  /** When the thread was given it, on the clock of `monotonicMs`. */
  readonly heldSince: number;
  /** The thread knew that it had failed, and may have written so before it ended. */
  readonly maybeWritten: boolean;
}

/** What becomes of the entries of one lane. */
export interface Aftermath {
  readonly done: string[];
  readonly toRelease: { id: string; reason: ReleaseReason }[];
  readonly toPark: (FailedEntry & { delayMs: number; blame: Blame; error: string })[];
  readonly toBury: (FailedEntry & { outcome: Dead })[];
  /** Runs that have blocked their thread for longer than they may take. */
  timedOut: number;
}

/** Evidence in the name of a thread that cannot give any. */
class ThreadEnd extends Error {
  constructor(name: 'ThreadHung' | 'ThreadDied' | 'OutcomeUnsaved', message: string) {
    super(message);
    this.name = name;
    this.stack = '';
  }
}

/**
 * What becomes of the tasks that a thread held when it ended. The one that brought it down, if it can be told,
 * has failed; the others lose no attempt.
 *
 * @param policies by lane
 * @param random chance, from 0 up to 1, for the jitter
 */
export function aftermathOf(
  held: readonly HeldEntry[],
  end: End,
  policies: readonly RetryPolicy[],
  random: () => number = Math.random,
): Map<number, Aftermath> {
  const culprit = end.kind === 'stopped' ? undefined : culpritAmong(held);
  const lanes = new Map<number, Aftermath>();
  for (const entry of held) {
    const policy = policies[entry.lane];
    if (policy === undefined) continue; // a slot read while it was written; it holds nothing of ours
    let lane = lanes.get(entry.lane);
    if (lane === undefined) {
      lane = { done: [], toRelease: [], toPark: [], toBury: [], timedOut: 0 };
      lanes.set(entry.lane, lane);
    }
    switch (entry.state) {
      case 'held':
        lane.toRelease.push({ id: entry.id, reason: 'unstarted' });
        break;
      case 'resolved':
        lane.done.push(entry.id);
        break;
      case 'rejected': {
        const unsaved = new ThreadEnd(
          'OutcomeUnsaved',
          'the attempt failed; its thread ended before it could say why',
        );
        settle(lane, entry, { ...outcomeOfFailure(unsaved, entry, policy, random()), blame: 'unknown' });
        break;
      }
      case 'running':
        if (entry === culprit) {
          if (end.kind === 'hung') lane.timedOut += 1;
          settle(lane, entry, outcomeOfCrash(errorOf(end), entry, policy, random()));
        } else {
          const reason = end.kind === 'stopped' || culprit !== undefined ? 'excused' : 'crashed';
          lane.toRelease.push({ id: entry.id, reason });
        }
        break;
    }
  }
  return lanes;
}

/** The task that was being called, or the only one that ran, or the only one that was suspected before. */
function culpritAmong(held: readonly HeldEntry[]): HeldEntry | undefined {
  const running = held.filter((entry) => entry.state === 'running');
  const current = running.find((entry) => entry.current);
  if (current !== undefined) return current;
  if (running.length === 1) return running[0];
  const suspects = running.filter((entry) => entry.crashes >= SUSPECT_CRASHES);
  return suspects.length === 1 ? suspects[0] : undefined;
}

function errorOf(end: End): ThreadEnd {
  switch (end.kind) {
    case 'hung':
      return new ThreadEnd('ThreadHung', `the handler blocked its thread for ${Math.round(end.silentMs)} ms`);
    case 'died':
      return new ThreadEnd('ThreadDied', `the thread of the handler died: ${end.detail}`);
    case 'stopped':
      return new ThreadEnd('ThreadDied', 'the thread of the handler was stopped');
  }
}

function settle(
  lane: Aftermath,
  { id, deliveries, heldSince, state }: HeldEntry,
  outcome: Exclude<Outcome, { kind: 'done' }>,
): void {
  const failed: FailedEntry = { id, deliveries, heldSince, maybeWritten: state === 'rejected' };
  if (outcome.kind === 'dead') {
    lane.toBury.push({ ...failed, outcome });
    return;
  }
  const { blame, delayMs } = outcome;
  const { name, message } = outcome.evidence;
  lane.toPark.push({ ...failed, delayMs, blame, error: `${name}: ${message}` });
}
