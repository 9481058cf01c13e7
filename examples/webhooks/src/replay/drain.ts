import { setTimeout as sleep } from 'node:timers/promises';
import type { DigestReader } from '../digest/digest-reader.js';
import type { Ledger } from './ledger.js';
import type { QueueView } from './queue-view.js';

export interface DrainOptions {
  stallMs: number;
  graceMs: number;
  signal: AbortSignal;
}

/** Accepted tasks that are neither done nor dead. */
export interface Unsettled {
  /** Still in a stream: not worked off, but not lost either. Also all of them, if Redis could not be asked. */
  pending: string[];
  /** In no stream, in no line of the digest, not among the dead letters. */
  lost: string[];
  /** Appended tasks, ours or not, that the group had not settled at the end. -1 if Redis could not be asked. */
  backlog: number;
}

const POLL_MS = 50;

/** Enters what has become of tasks since the last look: done by the digest, dead by the dead-letter stream. */
export async function readOutcomes(ledger: Ledger, digest: DigestReader, queue: QueueView): Promise<void> {
  await digest.read((line) => ledger.ran(line.task_id, Date.parse(line.at)));
  await queue.readDead((taskId) => ledger.died(taskId));
}

/** {@link readOutcomes} until stopped. Redis may be away meanwhile: the next look catches up. */
export async function watchOutcomes(
  ledger: Ledger,
  digest: DigestReader,
  queue: QueueView,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await readOutcomes(ledger, digest, queue).catch(() => undefined);
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Waits until every accepted task is settled and the backlog is empty, then decides about the rest by id.
 *
 * A task goes from the stream to the digest or the dead letters, and leaves the stream last. So the
 * order of looking decides: first which ids are in the streams, then what has become of tasks. An id that was
 * in no stream at the first look, and has no outcome at the second, is lost; looking the other way round
 * would call a task lost that was settled between the looks.
 *
 * The backlog is waited for even when every task has an outcome: a task whose consumer died after its line
 * and before its acknowledgement will run once more, and that run belongs into the books.
 *
 * Ends early when nothing has moved for `stallMs`, or when tasks are missing from an empty backlog for
 * `graceMs`.
 */
export async function awaitDrain(
  ledger: Ledger,
  digest: DigestReader,
  queue: QueueView,
  options: DrainOptions,
): Promise<Unsettled> {
  let backlog = -1;
  let { outstanding } = ledger;
  let lowestBacklog = Number.POSITIVE_INFINITY;
  let movedAt = performance.now();
  while (!options.signal.aborted) {
    try {
      backlog = await queue.backlog();
      await readOutcomes(ledger, digest, queue);
      if (ledger.outstanding === 0 && backlog === 0) break;
      // Only a new low is a move: other producers could keep the backlog going up and down for ever.
      if (ledger.outstanding < outstanding || backlog < lowestBacklog) movedAt = performance.now();
      outstanding = ledger.outstanding;
      lowestBacklog = Math.min(lowestBacklog, backlog);
    } catch {
      backlog = -1; // Redis is away: what has become of tasks is not known now
    }
    const stillMs = performance.now() - movedAt;
    if (stillMs > options.stallMs || (backlog === 0 && stillMs > options.graceMs)) break;
    await sleep(POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
  return { ...(await decide(ledger, digest, queue)), backlog };
}

async function decide(
  ledger: Ledger,
  digest: DigestReader,
  queue: QueueView,
): Promise<{ pending: string[]; lost: string[] }> {
  if (ledger.outstanding === 0) return { pending: [], lost: [] };
  let queued: Set<string>;
  try {
    queued = await queue.queuedTaskIds();
    await readOutcomes(ledger, digest, queue);
  } catch {
    return { pending: ledger.outstandingIds(), lost: [] };
  }
  const open = ledger.outstandingIds();
  return {
    pending: open.filter((taskId) => queued.has(taskId)),
    lost: open.filter((taskId) => !queued.has(taskId)),
  };
}
