import { SluiceError } from '@sluice/contract';

/** What dies. */
export type CrashOf = 'thread' | 'process';

/** When it dies: with the handler just called, while it waits for something, or when it is through. */
export type CrashWhen = 'called' | 'running' | 'settling';

/** How a task brings down what it runs in. */
export interface CrashOptions {
  /**
   * The thread, whose supervisor sees which task it was, or the whole process, whose tasks are taken over when their
   * lease has run out.
   * @default 'thread'
   */
  readonly of?: CrashOf;
  /**
   * `called`: in the handler, before its first await. `running`: after it, so that nobody can tell which of the tasks
   * that ran it was. `settling`: after the handler has resolved, before Redis was told.
   * @default 'called'
   */
  readonly when?: CrashWhen;
  /**
   * In how many of its runs.
   * @default 1
   */
  readonly times?: number;
}

interface Crash {
  readonly of: CrashOf;
  readonly when: CrashWhen;
  left: number;
}

/** The faults that certain tasks are to run into. */
export class FaultPlan {
  readonly #crashes = new Map<string, Crash>();
  readonly #freezes = new Set<string>();

  /** @throws SluiceError `INVALID_OPTIONS` */
  crash(taskId: string, { of = 'thread', when = 'called', times = 1 }: CrashOptions): void {
    if (!Number.isInteger(times) || times < 1) {
      throw new SluiceError('INVALID_OPTIONS', `times is ${times}; allowed: a whole number from 1`);
    }
    this.#crashes.set(taskId, { of, when, left: times });
  }

  freeze(taskId: string): void {
    this.#freezes.add(taskId);
  }

  /** What is to die now, if anything; counted as having happened. */
  takeCrash(taskId: string, when: CrashWhen): CrashOf | undefined {
    const crash = this.#crashes.get(taskId);
    if (crash === undefined || crash.when !== when) return undefined;
    crash.left -= 1;
    if (crash.left === 0) this.#crashes.delete(taskId);
    return crash.of;
  }

  /** Whether the process is to freeze now; counted as having happened. */
  takeFreeze(taskId: string): boolean {
    return this.#freezes.delete(taskId);
  }
}
