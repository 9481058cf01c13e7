import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from './monotonic.js';
import type { Work } from './work.js';

/** A request without an answer for so long hangs. Nothing in the engine waits that long. */
const HUNG_MS = 10_000;
/** A timer this late: this process stood still itself, so that it cannot say who hung. */
const STOOD_STILL_MS = 1000;
const TICK_MS = 10;
/**
 * Requests under way at once, beyond which nothing new is sent. On a machine that manages 50 a second, 500 at once would
 * take ten seconds each, and look as if they hung.
 */
const MOST_UNDER_WAY = 100;
/**
 * The engine closes what has been idle for this long at the least. Whoever stood still meanwhile has yet to read that, and
 * sends over a closed connection.
 */
const IDLE_MS = 8000;

/** When a task is due, as its envelope says it; nothing for one that is due at once. */
export type Timing = { delay: number } | { run_at: string } | Record<string, never>;

/**
 * What became of one request. Where a status is missing: `hung`; `cut`, the connection broke; `unseen`, this process stood
 * still meanwhile.
 */
export interface Answer {
  readonly n: number;
  readonly outcome: number | 'hung' | 'cut' | 'unseen';
  /** The code of an error that was answered, whether it says when to come back, or how the connection broke. */
  readonly why: string | undefined;
  /** The task's id when the answer was 202. */
  readonly taskId: string | undefined;
  /** On the clock of `monotonicMs`. */
  readonly sentAt: number;
  readonly tookMs: number;
}

/** Sends tasks at a constant rate to `POST /tasks`, and keeps every answer: the client's side of the ledger. */
export class IntakeLoad {
  readonly answers: Answer[] = [];
  /** Those that were 202. */
  readonly accepted: Answer[] = [];
  readonly #url: string;
  readonly #perSecond: number;
  readonly #work: (n: number) => Omit<Work, 'n'>;
  readonly #timing: (n: number) => Timing;
  readonly #underWay = new Set<Promise<void>>();
  readonly #sending: Promise<void>;
  #next = 0;
  #stopping = false;
  #tickedAt = monotonicMs();
  #awokeAt = Number.NEGATIVE_INFINITY;

  /**
   * @param work what task number n is to do
   * @param timing when task number n is due
   */
  constructor(
    url: string,
    perSecond: number,
    work: (n: number) => Omit<Work, 'n'>,
    timing: (n: number) => Timing = () => ({}),
  ) {
    this.#url = `${url}/tasks`;
    this.#perSecond = perSecond;
    this.#work = work;
    this.#timing = timing;
    this.#sending = this.#send();
  }

  /** Sends nothing new and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#sending;
    await Promise.all(this.#underWay);
  }

  async #send(): Promise<void> {
    const startedAt = monotonicMs();
    let due = 0;
    while (!this.#stopping) {
      for (const wanted = ((monotonicMs() - startedAt) / 1000) * this.#perSecond; due < wanted; due++) {
        if (this.#underWay.size >= MOST_UNDER_WAY) continue; // what is held back is not made up for
        const sent = this.#sendOne(this.#next++).then((answer) => {
          this.answers.push(answer);
          if (answer.outcome === 202) this.accepted.push(answer);
          this.#underWay.delete(sent);
        });
        this.#underWay.add(sent);
      }
      await pause(TICK_MS);
      const now = monotonicMs();
      if (now - this.#tickedAt > IDLE_MS) this.#awokeAt = now;
      this.#tickedAt = now;
    }
  }

  async #sendOne(n: number): Promise<Answer> {
    const sentAt = monotonicMs();
    const answered = (outcome: Answer['outcome'], taskId?: string, why?: string): Answer => ({
      n,
      outcome,
      why,
      taskId,
      sentAt,
      tookMs: monotonicMs() - sentAt,
    });
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ data: { n, ...this.#work(n) } satisfies Work, ...this.#timing(n) }),
        signal: AbortSignal.timeout(HUNG_MS),
      });
      // One or the other.
      const { task_id, error } = (await response.json()) as { task_id?: string; error?: { code: string } };
      if (response.status === 202) return answered(202, task_id);
      const again = response.headers.has('retry-after') ? '' : ', no Retry-After';
      return answered(response.status, undefined, `${error?.code ?? 'no code'}${again}`);
    } catch (error) {
      if (!(error instanceof Error && error.name === 'TimeoutError')) {
        if (sentAt - this.#awokeAt < STOOD_STILL_MS) return answered('unseen');
        const cause = error instanceof Error ? (error.cause ?? error) : error;
        return answered('cut', undefined, String(cause));
      }
      return answered(monotonicMs() - sentAt > HUNG_MS + STOOD_STILL_MS ? 'unseen' : 'hung');
    }
  }
}

/** So many of each outcome, in words. */
export function outcomesOf(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { outcome, why } of answers) {
    const text = why === undefined ? String(outcome) : `${outcome} (${why})`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `${count}x ${text}`).join(', ');
}
