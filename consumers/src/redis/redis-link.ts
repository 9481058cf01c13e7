import { redisConnection } from '@sluice/contract';
import { Redis } from './ioredis.js';

/** How long Redis may stay silent while a command waits, before the connection is given up. */
export const REDIS_SILENCE_MS = 5000;

// A server that is still loading its data is asked again at least this often.
const LOADING_RETRY_MS = 250;

/** Thrown to whoever waits for a connection that has been closed for good. */
export class LinkClosed extends Error {
  override readonly name = 'LinkClosed';
}

/** A connection to Redis that comes back by itself, and can be waited for. */
export class RedisLink {
  readonly redis: Redis;
  #generation = 0;
  #closed = false;
  #lastError = 'connection closed';
  #waiting: { resolve: (generation: number) => void; reject: (error: Error) => void }[] = [];

  /** @param onChange told when the connection is lost, with the reason, and when it is back */
  constructor(url: string, name: string, onChange: (up: boolean, reason: string) => void) {
    this.redis = new Redis(url, {
      ...redisConnection(name, REDIS_SILENCE_MS),
      maxLoadingRetryTime: LOADING_RETRY_MS,
    });
    this.redis.on('error', (error: Error) => {
      this.#lastError = error.message;
    });
    this.redis.on('ready', () => {
      this.#generation += 1;
      onChange(true, '');
      for (const waiter of this.#waiting.splice(0)) waiter.resolve(this.#generation);
    });
    this.redis.on('close', () => {
      if (!this.#closed) onChange(false, this.#lastError);
      this.#lastError = 'connection closed';
    });
    // A first connection that fails is tried again like any later one.
    this.redis.connect().catch(() => undefined);
  }

  get up(): boolean {
    return this.redis.status === 'ready';
  }

  /** Whether it is up, and has been since `ready` has told this number. */
  isStill(generation: number): boolean {
    return this.up && this.#generation === generation;
  }

  /**
   * Resolves when the connection can be used, with a number that is higher after every reconnect.
   *
   * @throws LinkClosed when it is closed meanwhile
   */
  ready(): Promise<number> {
    if (this.#closed) return Promise.reject(new LinkClosed('the connection was closed'));
    if (this.up) return Promise.resolve(this.#generation);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Resolves when the connection can be used, or when the other promise settles, whichever is first. */
  async readyOr(other: Promise<unknown>): Promise<number> {
    // Not raced while the connection is up: each race would leave a reaction on the other promise.
    if (!this.up) await Promise.race([this.ready(), other]);
    return this.#generation;
  }

  /** Gives the connection up at once; what waits for a reply fails. It comes back by itself. */
  reset(): void {
    if (this.up) this.redis.disconnect(true);
  }

  close(): void {
    this.#closed = true;
    this.redis.disconnect();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new LinkClosed('the connection was closed'));
  }
}

/**
 * The code of the error that Redis answered with (`NOGROUP`, `OOM`, `READONLY` …); nothing when there was no answer,
 * and what was asked for may or may not have been done.
 */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  return error.message.split(' ', 1)[0];
}
