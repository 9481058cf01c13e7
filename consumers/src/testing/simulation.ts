import { setImmediate as turn } from 'node:timers/promises';
import { SluiceError } from '@sluice/contract';
import type { RealWork } from './real-work.js';
import type { TestConsumer } from './test-consumer.js';
import type { VirtualClock } from './virtual-clock.js';

/** Turns of the event loop without anything new after which all is quiet; writing an outcome takes two. */
const CALM_TURNS = 4;

/** Times that the clock is moved in one call. */
const MOST_MOVES = 100_000;

/** Everything that happens in a test queue, and when. */
export class Simulation {
  readonly clock: VirtualClock;
  readonly #realWork: RealWork;
  readonly #consumers: TestConsumer[] = [];
  #changes = 0;
  #busy = false;

  constructor(clock: VirtualClock, realWork: RealWork) {
    this.clock = clock;
    this.#realWork = realWork;
  }

  add(consumer: TestConsumer): void {
    this.#consumers.push(consumer);
  }

  /** Something has changed, so that more may. */
  progressed = (): void => {
    this.#changes += 1;
  };

  get drained(): boolean {
    return this.#consumers.every((consumer) => consumer.drained);
  }

  /**
   * Runs what can be run now, without time passing.
   *
   * @returns nothing, or why it does not end
   */
  runDue(): Promise<string | undefined> {
    return this.#exclusively(async () => {
      await this.#untilQuiet();
      return this.#overrun;
    });
  }

  /**
   * Lets time pass, and everything happen that is due meanwhile, when it is due.
   *
   * @returns nothing, or why it does not end
   */
  advance(ms: number): Promise<string | undefined> {
    return this.#exclusively(async () => {
      const until = this.clock.now + ms;
      await this.#untilQuiet();
      for (let moves = 0; moves < MOST_MOVES; moves++) {
        const at = this.#nextAt();
        this.#moveTo(at === undefined || at > until ? until : at);
        await this.#untilQuiet();
        if (this.#overrun !== undefined) return this.#overrun;
        if (at === undefined || at > until) return undefined;
      }
      return tooManyMoves();
    });
  }

  /**
   * Lets as much time pass as it takes until everything is settled.
   *
   * @returns nothing, or why that cannot be
   */
  drain(withinMs: number): Promise<string | undefined> {
    return this.#exclusively(async () => {
      const until = this.clock.now + withinMs;
      for (let moves = 0; moves < MOST_MOVES; moves++) {
        await this.#untilQuiet();
        if (this.#overrun !== undefined) return this.#overrun;
        if (this.drained) return undefined;
        const at = this.#nextAt();
        if (at === undefined) return 'nothing will ever be due';
        if (at > until) return `it would take more than ${withinMs} ms of virtual time`;
        this.#moveTo(at);
      }
      return tooManyMoves();
    });
  }

  get #overrun(): string | undefined {
    const over = this.#consumers.find((consumer) => consumer.log.full);
    return over && `handlers were run ${over.log.runs.length} times, the most that this queue takes`;
  }

  async #untilQuiet(): Promise<void> {
    for (let calm = 0; calm < CALM_TURNS && this.#overrun === undefined; ) {
      const before = this.#changes;
      if (!this.#consumers.some((consumer) => consumer.running)) this.#realWork.noteRest();
      for (const consumer of this.#consumers) consumer.work();
      await turn();
      calm = this.#changes === before ? calm + 1 : 0;
      if (calm < CALM_TURNS || !this.#consumers.some((consumer) => consumer.running)) continue;
      if (await this.#realWork.until(() => this.#changes !== before)) calm = 0;
    }
  }

  #nextAt(): number | undefined {
    const moments = this.#consumers.map((consumer) => consumer.nextAt).filter((at) => at !== undefined);
    if (this.clock.nextAt !== undefined) moments.push(this.clock.nextAt);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  #moveTo(at: number): void {
    this.clock.moveTo(at);
    for (const consumer of this.#consumers) consumer.lookAfterLeases();
  }

  /** A handler that waits for the queue to be drained would wait for itself. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new SluiceError(
        'NOT_DRAINED',
        'the queue is being drained or advanced already; await that first',
      );
    }
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}

function tooManyMoves(): string {
  return `it is not over after ${MOST_MOVES} moves of the clock`;
}
