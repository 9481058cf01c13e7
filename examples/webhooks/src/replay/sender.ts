import { setTimeout as sleep } from 'node:timers/promises';
import type { Body } from './bodies.js';
import type { Answer } from './intake-client.js';
import type { Ledger } from './ledger.js';

/** Where the sender gets its answers; the HTTP client, or a table of answers in tests. */
export interface Intake {
  send(body: Body): Promise<Answer>;
}

export interface SenderOptions {
  times: number;
  connections: number;
  /** Tasks a second at most; 0 for no limit. */
  rate: number;
  retryMs: number;
  signal: AbortSignal;
}

/** However long a server asks us to wait, no longer than this: it may be back much sooner. */
const LONGEST_WAIT_MS = 5_000;
const WAIT_AFTER_503_MS = 1_000;
const WAIT_AFTER_RESET_MS = 20;
const WAIT_WHEN_UNREACHABLE_MS = 100;

/**
 * Sends every body `times` times, as many at once as there are connections, and enters every answer.
 *
 * 503, a broken connection and no connection are tried again; each try is a new request and counts as sent.
 * A request whose connection broke may have been appended all the same: its task then runs besides the one
 * that is sent again, under an id we were never told.
 */
export async function sendAll(
  bodies: readonly Body[],
  intake: Intake,
  ledger: Ledger,
  options: SenderOptions,
): Promise<void> {
  const total = bodies.length * options.times;
  const startedAt = performance.now();
  let next = 0;

  async function connection(): Promise<void> {
    while (next < total && !options.signal.aborted) {
      const task = next++;
      if (options.rate > 0)
        await pause(startedAt + (task * 1_000) / options.rate - performance.now(), options);
      // task % length is an index of bodies, which is not empty
      await sendUntilAnswered(bodies[task % bodies.length] as Body, intake, ledger, options);
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.connections, total) }, connection));
}

async function sendUntilAnswered(
  body: Body,
  intake: Intake,
  ledger: Ledger,
  options: SenderOptions,
): Promise<void> {
  const giveUpAt = performance.now() + options.retryMs;
  while (!options.signal.aborted) {
    const answer = await intake.send(body);
    const waitMs = enter(answer, ledger);
    if (waitMs === 'accepted') return;
    if (waitMs === 'final' || performance.now() + waitMs > giveUpAt) break;
    await pause(waitMs, options);
  }
  ledger.abandoned += 1;
}

/** Enters an answer into the books, and says how long to wait before sending the body again, if at all. */
function enter(answer: Answer, ledger: Ledger): number | 'accepted' | 'final' {
  switch (answer.kind) {
    case 'accepted':
      ledger.accept(answer.taskId, answer.ms, performance.timeOrigin + performance.now());
      return 'accepted';
    case 'refused':
      ledger.refuse(answer.code);
      if (answer.status !== 503) return 'final'; // the same body would be refused again
      return Math.min(answer.retryAfterMs ?? WAIT_AFTER_503_MS, LONGEST_WAIT_MS);
    case 'unconfirmed':
      ledger.sent += 1;
      ledger.unconfirmed += 1;
      return WAIT_AFTER_RESET_MS;
    case 'unreachable':
      ledger.unreachable += 1;
      return WAIT_WHEN_UNREACHABLE_MS;
  }
}

async function pause(ms: number, { signal }: SenderOptions): Promise<void> {
  if (ms < 1) return;
  await sleep(ms, undefined, { signal }).catch(() => undefined); // aborted: the caller looks at the signal
}
