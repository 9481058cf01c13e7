import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

// From dist/ as from src/: the .lua files are published beside the compiled code, never copied.
const folder = new URL('../src/scripts/', import.meta.url);

/** A Lua script of the folder `scripts/`; what it does, takes and returns is written there. */
export class Script {
  readonly #source: string;
  readonly #sha: string;

  /** @param flags `no-writes` lets it run where Redis takes no writes: a replica, no memory, a full disk */
  constructor(name: string, flags: '' | 'no-writes' = '') {
    this.#source = `#!lua flags=${flags}\n${readFileSync(new URL(`${name}.lua`, folder), 'utf8')}`;
    this.#sha = createHash('sha1').update(this.#source).digest('hex');
  }

  async run(
    redis: Redis,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    try {
      return await redis.call('EVALSHA', this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      // Redis does not know it yet. Nothing was run, so it can be sent again.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return redis.call('EVAL', this.#source, keys.length, ...keys, ...args);
    }
  }
}
