import { setMaxListeners } from 'node:events';
import { resolveOptions } from '@sluice/contract';
import { DigestReader } from '../digest/digest-reader.js';
import taskTypes from '../schemas.js';
import { readBodies } from './bodies.js';
import { awaitDrain, type Unsettled, watchOutcomes } from './drain.js';
import { IntakeClient } from './intake-client.js';
import { Ledger } from './ledger.js';
import { type ReplayOptions, replayOptions } from './options.js';
import { QueueView } from './queue-view.js';
import type { ReplayReport } from './report.js';
import { sendAll } from './sender.js';

/** What a caller can do with a replay that runs. */
export interface ReplayControl {
  /** Ends the replay early; it then reports what it knows. */
  signal?: AbortSignal;
  /** Called with the figures so far, about four times a second. */
  onProgress?: (progress: ReplayProgress) => void;
}

export interface ReplayProgress {
  /** Tasks to be accepted in the end. */
  tasks: number;
  accepted: number;
  /** Accepted tasks that are neither done nor dead yet. */
  outstanding: number;
}

const PROGRESS_MS = 250;
const LOST_IDS_SHOWN = 20;

/**
 * Sends the files of a folder through the HTTP intake, waits until they are worked off, and accounts for
 * each 202 by its task id: done if the digest has a line of it, dead if it is among the dead letters, else
 * still queued or lost.
 *
 * Made to run while engines, consumers and Redis are being killed: broken connections are counted and the
 * body is sent again, and Redis may be away for a while.
 *
 * @throws SluiceError `INVALID_OPTIONS` for wrong options or a folder without files, `REDIS_UNAVAILABLE`
 * when Redis cannot be reached at the start.
 */
export async function replay(
  given: Partial<ReplayOptions> = {},
  control: ReplayControl = {},
): Promise<ReplayReport> {
  const options = resolveOptions(replayOptions, given);
  const signal = AbortSignal.any(control.signal === undefined ? [] : [control.signal]);
  setMaxListeners(0, signal); // one per connection that waits, which is no leak
  const bodies = await readBodies(options.folder, options.typeByEvent);
  const types = ['default', ...taskTypes.map((taskType) => taskType.name)];
  const queue = new QueueView({ ...options, types });
  await queue.open();
  const intake = new IntakeClient(options.url, options.connections, options.requestTimeoutSeconds * 1_000);
  const ledger = new Ledger();
  const stopProgress = reportProgress(ledger, bodies.length * options.times, control.onProgress);
  try {
    const digest = new DigestReader(options.digestDir);
    await digest.skipToEnd();

    const startedAt = performance.now();
    const sent = new AbortController();
    const watching = watchOutcomes(ledger, digest, queue, sent.signal);
    await sendAll(bodies, intake, ledger, { ...options, retryMs: options.retrySeconds * 1_000, signal });
    const sendSeconds = (performance.now() - startedAt) / 1_000;
    sent.abort();
    await watching;

    const unsettled = await awaitDrain(ledger, digest, queue, {
      stallMs: options.stallSeconds * 1_000,
      graceMs: options.graceSeconds * 1_000,
      signal,
    });
    const durationSeconds = (performance.now() - startedAt) / 1_000;
    return reportOf(options, bodies.length, ledger, unsettled, { sendSeconds, durationSeconds });
  } finally {
    stopProgress();
    intake.close();
    queue.close();
  }
}

function reportProgress(
  ledger: Ledger,
  tasks: number,
  onProgress: ((progress: ReplayProgress) => void) | undefined,
): () => void {
  if (onProgress === undefined) return () => undefined;
  const timer = setInterval(
    () => onProgress({ tasks, accepted: ledger.accepted, outstanding: ledger.outstanding }),
    PROGRESS_MS,
  );
  return () => clearInterval(timer);
}

function reportOf(
  options: ReplayOptions,
  bodies: number,
  ledger: Ledger,
  unsettled: Unsettled,
  seconds: { sendSeconds: number; durationSeconds: number },
): ReplayReport {
  return {
    folder: options.folder,
    url: options.url,
    bodies,
    times: options.times,
    connections: options.connections,
    sent: ledger.sent,
    accepted: ledger.accepted,
    refused: ledger.refused,
    unconfirmed: ledger.unconfirmed,
    unreachable: ledger.unreachable,
    abandoned: ledger.abandoned,
    ...ledger.totals(),
    lost: unsettled.lost.length,
    pending: unsettled.pending.length,
    backlog: unsettled.backlog,
    intakeMs: ledger.intakeLatency(),
    doneMs: ledger.doneLatency(),
    ...seconds,
    lostIds: unsettled.lost.slice(0, LOST_IDS_SHOWN),
  };
}
