import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { isOverLimit } from './failure-limit.js';
import { isRedrivable } from './letter.js';
import type { LetterRef, RedriveOptions, RedriveProgress, RedriveReport } from './redrive-options.js';
import { Redriver } from './redriver.js';

const LOOK_EVERY_MS = 100;

/**
 * Sends dead letters back to their streams, as one deploys: some first, no faster than asked for, and no further when
 * they die again. Each letter moves in one atomic step, so that whatever ends this process, every task is either still
 * a dead letter or in its stream again, once.
 */
export async function redrive(
  redis: Redis,
  letters: readonly LetterRef[],
  options: RedriveOptions = {},
): Promise<RedriveReport> {
  const resolved: Resolved = {
    streamName: 'tasks:stream',
    canary: 0,
    window: 100,
    rate: Number.POSITIVE_INFINITY,
    maxFailures: { kind: 'share', most: 0.1 },
    follow: true,
    timeoutMs: 60_000,
    othersSee: 'nothing',
    ...options,
  };
  const ours = letters.filter((letter) => isRedrivable(letter, resolved.streamName));
  const report = await new Rollout(redis, ours, resolved).run();
  return { ...report, notOurs: letters.length - ours.length };
}

type Resolved = Required<Omit<RedriveOptions, 'payloads' | 'signal' | 'onProgress'>> & RedriveOptions;

class Rollout {
  readonly #letters: readonly LetterRef[];
  readonly #options: Resolved;
  readonly #redriver: Redriver;
  #redriven = 0;
  #gone = 0;
  #stopped: string | undefined;
  #phase: RedriveProgress['phase'] = 'rollout';
  #lookedAt = 0;
  #movedAt = performance.now();
  #nextTurn = 0;

  constructor(redis: Redis, letters: readonly LetterRef[], options: Resolved) {
    this.#letters = letters;
    this.#options = options;
    this.#redriver = new Redriver(redis, options.streamName, options.othersSee);
  }

  async run(): Promise<Omit<RedriveReport, 'notOurs'>> {
    const { canary, follow } = this.#options;
    const first = follow ? Math.min(canary, this.#letters.length) : 0;
    if (first > 0) {
      this.#phase = 'canary';
      await this.#sendAll(this.#letters.slice(0, first));
      await this.#untilSettled();
      if (this.#redriver.inFlight > 0) this.#stop(`the canary was not settled within ${this.#timeout()}`);
      this.#phase = 'rollout';
    }
    await this.#sendAll(this.#letters.slice(first));
    this.#phase = 'settling';
    if (follow) await this.#untilSettled();
    const { done, cameBack, inFlight } = this.#redriver;
    return {
      selected: this.#letters.length,
      redriven: this.#redriven,
      done,
      cameBack,
      unsettled: inFlight,
      gone: this.#gone,
      stopped: this.#stopped,
    };
  }

  async #sendAll(letters: readonly LetterRef[]): Promise<void> {
    for (const letter of letters) {
      await this.#untilRoom();
      await this.#pace();
      if (this.#stopped !== undefined) return;
      await this.#send(letter);
    }
  }

  async #send(letter: LetterRef): Promise<void> {
    const payload = this.#options.payloads?.get(letter.id);
    const deadline = performance.now() + this.#options.timeoutMs;
    for (;;) {
      const sent = await this.#redriver.send(letter, payload);
      switch (sent.kind) {
        case 'redriven':
          this.#redriven += 1;
          this.#movedAt = performance.now();
          this.#report();
          return;
        case 'gone':
          this.#gone += 1;
          return;
        case 'behind':
          // They catch up, if somebody reads for them.
          if (this.#interrupted()) return;
          if (performance.now() > deadline) {
            this.#stop(
              `group ${sent.groups.join(', ')} did not catch up with ${letter.sourceStream} within ${this.#timeout()}, and must not see what ${letter.group} has to do again`,
            );
            return;
          }
          await pause(LOOK_EVERY_MS / 10);
      }
    }
  }

  /** Waits until one more may be in flight, and judges those that are settled. */
  async #untilRoom(): Promise<void> {
    if (this.#interrupted() || !this.#options.follow) return;
    if (performance.now() - this.#lookedAt >= LOOK_EVERY_MS) await this.#look();
    while (this.#stopped === undefined && this.#redriver.inFlight >= this.#options.window) {
      await pause(LOOK_EVERY_MS);
      await this.#look();
      if (this.#isStuck()) {
        this.#stop(
          `none of the ${this.#redriver.inFlight} tasks in flight was settled within ${this.#timeout()}`,
        );
      }
    }
  }

  /** Waits for the turn of the next letter. Time spent waiting for others is not caught up on: that would be a burst. */
  async #pace(): Promise<void> {
    const turn = Math.max(performance.now(), this.#nextTurn);
    this.#nextTurn = turn + 1000 / this.#options.rate;
    for (let left = turn - performance.now(); left > 0; left = turn - performance.now()) {
      if (this.#interrupted() || this.#stopped !== undefined) return;
      await pause(Math.min(LOOK_EVERY_MS, left));
      if (this.#options.follow && performance.now() - this.#lookedAt >= LOOK_EVERY_MS) await this.#look();
    }
  }

  async #untilSettled(): Promise<void> {
    await this.#look();
    while (this.#redriver.inFlight > 0 && !this.#isStuck() && !this.#interrupted()) {
      await pause(LOOK_EVERY_MS);
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { cameBack, done } = this.#redriver;
    const before = cameBack.length + done;
    await this.#redriver.look();
    this.#lookedAt = performance.now();
    const settled = this.#redriver.done + cameBack.length;
    if (settled > before) this.#movedAt = performance.now();
    this.#report();
    if (cameBack.length === 0) return;
    if (this.#phase === 'canary') this.#stop('tasks of the canary died again');
    else if (isOverLimit(this.#options.maxFailures, cameBack.length, settled)) {
      this.#stop(`${cameBack.length} of ${settled} settled tasks died again`);
    }
  }

  #isStuck(): boolean {
    return performance.now() - this.#movedAt > this.#options.timeoutMs;
  }

  #interrupted(): boolean {
    const isInterrupted = this.#options.signal?.aborted === true;
    if (isInterrupted) this.#stop('it was interrupted');
    return isInterrupted;
  }

  /** The first reason counts; after the last letter there is nothing left to stop. */
  #stop(reason: string): void {
    if (this.#redriven + this.#gone < this.#letters.length) this.#stopped ??= reason;
  }

  #timeout(): string {
    return `${this.#options.timeoutMs / 1000} s`;
  }

  #report(): void {
    this.#options.onProgress?.({
      phase: this.#phase,
      selected: this.#letters.length,
      redriven: this.#redriven,
      done: this.#redriver.done,
      cameBack: this.#redriver.cameBack.length,
    });
  }
}
