import type { HeldEntry } from '../thread/thread-protocol.js';

/** How much longer than its timeout a task may block its thread. Lets a late event loop recover by itself. */
export const HUNG_GRACE_MS = 1000;

/**
 * Notices a thread whose event loop stands still for longer than the task that blocks it may take.
 *
 * Time counts in looks, not by the clock: after the whole process was frozen (SIGSTOP, a suspended laptop) the clock
 * has gone on while nobody could have given a sign of life.
 */
export class ThreadWatch {
  #heartbeat = -1;
  #silentMs = 0;

  /**
   * @param heartbeat of the thread's board
   * @param sinceLastMs time since the last look, at most
   * @param held reads the thread's board; called only when the thread is silent
   * @param longestMs the timeout to go by when no task can be blamed
   * @returns for how long the thread has been silent, when that is too long
   */
  look(
    heartbeat: number,
    sinceLastMs: number,
    held: () => readonly HeldEntry[],
    longestMs: number,
  ): number | undefined {
    if (heartbeat !== this.#heartbeat) {
      this.#heartbeat = heartbeat;
      this.#silentMs = 0;
      return undefined;
    }
    this.#silentMs += sinceLastMs;
    if (this.#silentMs <= HUNG_GRACE_MS) return undefined;
    const running = held().filter((entry) => entry.state === 'running');
    // The task being called right now is what blocks it. Else it is one of those that went on after an await.
    const current = running.find((entry) => entry.current);
    const timeouts = current === undefined ? running.map((entry) => entry.timeoutMs) : [current.timeoutMs];
    const allowed = timeouts.length === 0 ? longestMs : Math.max(...timeouts);
    return this.#silentMs > allowed + HUNG_GRACE_MS ? this.#silentMs : undefined;
  }
}
