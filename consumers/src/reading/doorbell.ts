import { setTimeout as pause } from 'node:timers/promises';
import { LinkClosed, type RedisLink } from '../redis/redis-link.js';
import type { Lane } from './entry.js';

/** How long one wait in Redis takes at most. */
const BLOCK_MS = 1000;
const REFUSED_PAUSE_MS = 1000;

/**
 * Says when there is something new in a stream that this thread may not just read, because the rate of its tasks is
 * limited: entries are handed out by a script there, and scripts cannot wait.
 */
export class Doorbell {
  readonly #link: RedisLink;
  readonly #rings: (lane: Lane) => void;
  /** Lanes that had nothing left, and the last entry id of their stream then. */
  readonly #quiet = new Map<Lane, string>();
  #stopping = false;
  #listen: (() => void) | undefined;

  constructor(link: RedisLink, rings: (lane: Lane) => void) {
    this.#link = link;
    this.#rings = rings;
  }

  /** Nothing is left in this stream; what comes after this id is new. */
  watch(lane: Lane, afterId: string): void {
    this.#quiet.set(lane, afterId);
    this.#listen?.();
  }

  /** Listens until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#somethingQuiet();
        await this.#link.ready();
        await this.#wait();
      } catch (error) {
        if (error instanceof LinkClosed || this.#stopping) return;
        await pause(REFUSED_PAUSE_MS); // lanes are looked at every second without a bell, too
      }
    }
  }

  stop(): void {
    this.#stopping = true;
    this.#listen?.();
    this.#link.close();
  }

  async #somethingQuiet(): Promise<void> {
    if (this.#quiet.size > 0 || this.#stopping) return;
    await new Promise<void>((resolve) => {
      this.#listen = resolve;
    });
    this.#listen = undefined;
  }

  async #wait(): Promise<void> {
    if (this.#stopping) return;
    const lanes = [...this.#quiet];
    const args: (string | number)[] = ['COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS'];
    for (const [lane] of lanes) args.push(lane.keys.stream);
    for (const [, afterId] of lanes) args.push(afterId);
    // As Buffers: a payload need not be text.
    const reply = (await this.#link.redis.callBuffer('XREAD', ...args)) as [Buffer, unknown][] | null; // what Redis documents
    for (const [stream] of reply ?? []) {
      const name = stream.toString();
      for (const [lane, afterId] of lanes) {
        if (lane.keys.stream !== name) continue;
        if (this.#quiet.get(lane) === afterId) this.#quiet.delete(lane);
        this.#rings(lane);
      }
    }
  }
}
