import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

/** Turns of the event loop before any time is waited. */
const TURNS = 50;

const TICK_MS = 5;

/**
 * Ticks that a handler gets of which the event loop shows nothing. Work on the thread pool (zlib, native modules)
 * does not show.
 */
const TICKS_UNSEEN = 20;

/**
 * Waits, in real time, for handlers that do real work, and not for those that wait for nothing: a promise that
 * nobody settles, or the abort of their signal.
 *
 * They are told apart by what keeps the event loop alive: timers, sockets, files. Time counts in ticks and not by the
 * clock: a machine that stands still for a while must not make a handler late.
 */
export class RealWork {
  readonly #ticks: number;
  #atRest = census();

  /** @param patienceMs how long to wait for what can be seen to work */
  constructor(patienceMs: number) {
    this.#ticks = Math.ceil(patienceMs / TICK_MS);
  }

  /** No handler runs: what keeps the event loop alive now is not theirs. */
  noteRest(): void {
    this.#atRest = census();
  }

  /** Waits until something has changed; false when it does not look as if anything will. */
  async until(changed: () => boolean): Promise<boolean> {
    for (let i = 0; i < TURNS; i++) {
      await turn();
      if (changed()) return true;
    }
    for (let ticks = 0; ticks < (this.#seen() ? this.#ticks : TICKS_UNSEEN); ticks++) {
      await pause(TICK_MS);
      if (changed()) return true;
    }
    return false;
  }

  #seen(): boolean {
    for (const [resource, count] of census()) {
      if (count > (this.#atRest.get(resource) ?? 0)) return true;
    }
    return false;
  }
}

function census(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const resource of process.getActiveResourcesInfo()) {
    if (resource !== 'Immediate') counts.set(resource, (counts.get(resource) ?? 0) + 1);
  }
  return counts;
}
