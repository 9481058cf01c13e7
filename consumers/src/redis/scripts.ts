import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

// From dist/ as from src/: the .lua files are published beside the compiled code, never copied.
const folder = new URL('../../src/scripts/', import.meta.url);

/** What a script is preceded by, so that each has the functions it needs and no more. */
type Prelude = 'owned' | 'tracked' | 'breaker' | 'rate-limit';

/** A Lua script of the folder `scripts/`; what it does, takes and returns is written there. */
export class Script {
  readonly #source: string;
  readonly #sha: string;

  /**
   * @param flags settling frees memory, and promoting keeps it as it is: both must go on when Redis has none left for
   * new tasks, and so most scripts are run then
   */
  constructor(name: string, preludes: readonly Prelude[] = ['owned'], flags: 'allow-oom' | '' = 'allow-oom') {
    const files = [...preludes, name].map((file) => readFileSync(new URL(`${file}.lua`, folder), 'utf8'));
    this.#source = `#!lua flags=${flags}\n${files.join('')}`;
    this.#sha = createHash('sha1').update(this.#source).digest('hex');
  }

  /** Runs the script; strings in its reply are decoded as UTF-8. */
  run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#load((command, script) => redis.call(command, script, keys.length, ...keys, ...args));
  }

  /** Runs the script; strings in its reply are Buffers. */
  runForBuffers(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#load((command, script) => redis.callBuffer(command, script, keys.length, ...keys, ...args));
  }

  async #load(call: (command: 'EVALSHA' | 'EVAL', script: string) => Promise<unknown>): Promise<unknown> {
    try {
      return await call('EVALSHA', this.#sha);
    } catch (error) {
      // After a restart or SCRIPT FLUSH Redis does not know it any more. Nothing was run, so it can be sent again.
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return call('EVAL', this.#source);
      throw error;
    }
  }
}

export const createGroupScript = new Script('create-group');
export const doneScript = new Script('done', ['owned', 'tracked']);
export const parkScript = new Script('park', ['owned', 'breaker']);
export const buryScript = new Script('bury', ['owned', 'tracked', 'breaker']);
export const releaseScript = new Script('release');
export const takeDueScript = new Script('take-due', ['owned', 'breaker', 'rate-limit']);
export const renewScript = new Script('renew');
export const recoverScript = new Script('recover');
export const leaveScript = new Script('leave');
export const promoteScript = new Script('promote', ['tracked']);
export const releaseLeaseScript = new Script('release-lease', []);
export const cronLookScript = new Script('cron-look', []);
export const cronEnqueueScript = new Script('cron-enqueue', [], '');
