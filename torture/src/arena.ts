import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ConsumerOptions } from '@sluice/consumers';
import { queueKeys } from '@sluice/contract';
import {
  freePort,
  type RedisOptions,
  type RedisServer,
  type RunningProcess,
  startProcess,
  startRedis,
  waitFor,
} from '@sluice/testbed';
import { Redis } from 'ioredis';
import { appendTasks } from './append-tasks.js';
import type { ConsumerSetup } from './consumer-process.js';
import { Fleet } from './fleet.js';
import { Journal } from './journal.js';
import { withJournal } from './journal-url.js';
import type { Work } from './work.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENGINE = join(ROOT, 'engine/dist/main.js');
/** Takes the place of the engine in negative controls of what it is careful about. */
const LAX_SERVER = fileURLToPath(new URL('./abuse/lax-server.js', import.meta.url));
/** The same in those of what only an engine can break. */
const BREAKABLE_ENGINE = fileURLToPath(new URL('./breakable-engine.js', import.meta.url));
const CONSUMERS = join(ROOT, 'consumers/dist/main.js');
const CONSUMER_PROCESS = fileURLToPath(new URL('./consumer-process.js', import.meta.url));
const WORK = new URL('./handlers/work.js', import.meta.url);
const HANDLERS = new URL('./handlers/handlers.js', import.meta.url);

const LOOK_MS = 10;
/** Bound of every wait: broken consumers can pass tasks to each other for ever. */
const MOST_WAIT_MS = 600_000;
const MOST_PENDING = 100_000;

/** Name that consumers go by, with their process id, so that one can tell what a dead one held. */
const CONSUMER_NAME = 'torture';

export const GROUP = 'processors';

export interface ArenaPlan {
  /** The numbers of the specification; else small ones that take seconds. */
  full: boolean;
  /** The promise to break on purpose. */
  broken: string | undefined;
  redis?: RedisOptions;
  /** Where that Redis keeps its files. @default a temporary folder of its own */
  redisDir?: string;
  /** Told what goes on, a line at a time. */
  progress: (line: string) => void;
}

/** The engine program as a process. */
export interface RunningEngine {
  readonly process: RunningProcess;
  readonly url: string;
  readonly opsUrl: string;
  /** How many of its processes have ended so far. */
  deaths(): number;
}

/** One scenario's queue: a private Redis, the programs that work on it, and what their handlers wrote down. */
export class Arena {
  readonly full: boolean;
  readonly broken: string | undefined;
  readonly progress: (line: string) => void;
  readonly server: RedisServer;
  /** Where Redis keeps its files. */
  readonly redisDir: string;
  readonly redis: Redis;
  readonly folder: string;
  readonly journal: Journal;
  readonly keys = queueKeys('tasks:stream');
  readonly stream = this.keys.stream('default');
  readonly #cleanUps: (() => Promise<unknown>)[] = [];

  private constructor(plan: ArenaPlan, server: RedisServer, folder: string) {
    this.full = plan.full;
    this.broken = plan.broken;
    this.progress = plan.progress;
    this.server = server;
    this.redisDir = plan.redisDir ?? server.dir;
    this.folder = folder;
    this.journal = new Journal(join(folder, 'journal'));
    this.redis = new Redis(server.url, {
      protocol: 2,
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
    });
    this.redis.on('error', () => {}); // some scenarios take it away
  }

  static async open(plan: ArenaPlan): Promise<Arena> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-torture-'));
    try {
      return new Arena(plan, await startRedis(plan.redis), folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A number of this run: the one of the specification, or the small one. */
  size(short: number, full: number): number {
    return this.full ? full : short;
  }

  /** What this run tries out: all, or some. */
  pick<T>(short: readonly T[], full: readonly T[]): readonly T[] {
    return this.full ? full : short;
  }

  /** Has something done when the arena closes; what was asked for last comes first. */
  afterwards(cleanUp: () => Promise<unknown>): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Ends all that was started and removes what was written. */
  async close(): Promise<void> {
    for (const cleanUp of this.#cleanUps.reverse()) await cleanUp();
    this.redis.disconnect();
    this.journal.close();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  append(tasks: readonly Work[]): Promise<string[]> {
    return appendTasks(this.redis, this.stream, tasks);
  }

  /** Starts a consumer process; resolves when it works. */
  async consumer(
    options: Partial<ConsumerOptions> = {},
    env: Record<string, string> = {},
    handler = withJournal(WORK, this.journal.path),
  ): Promise<RunningProcess> {
    const process = this.#startConsumer(options, env, handler);
    this.#endWithArena(process);
    await process.ready;
    return process;
  }

  /** Starts consumer processes that are replaced when they end; resolves when they work. */
  async fleet(count: number, options: Partial<ConsumerOptions> = {}): Promise<Fleet> {
    const handler = withJournal(WORK, this.journal.path);
    const fleet = new Fleet(() => this.#startConsumer(options, {}, handler), count);
    this.afterwards(() => fleet.close());
    await fleet.ready();
    return fleet;
  }

  /** Starts the consumer program as a user does; resolves when it works. */
  async consumerProgram(env: Record<string, string> = {}): Promise<RunningProcess> {
    const process = startProcess(CONSUMERS, {
      REDIS_URL: this.server.url,
      REDIS_CONSUMER_NAME: CONSUMER_NAME,
      HANDLER_MODULE: withJournal(HANDLERS, this.journal.path).href,
      ...env,
    });
    this.#endWithArena(process);
    await process.ready;
    return process;
  }

  /** Starts the engine program; resolves when it is ready for tasks. */
  async engine(env: Record<string, string> = {}): Promise<RunningEngine> {
    const process = await this.#startEngine(env);
    this.#endWithArena(process);
    const { url, opsUrl } = (await process.ready) as { url: string; opsUrl: string }; // what the engine sends
    await waitFor(async () => (await fetch(`${opsUrl}/readyz`)).ok, {
      timeoutMs: 20_000,
      what: 'the engine to be ready',
    });
    let over = 0;
    void process.exited.then(() => {
      over = 1;
    });
    return {
      process,
      url,
      opsUrl,
      deaths: () => over + process.output().split('engine process died').length - 1,
    };
  }

  /** Waits until all is settled; false when nothing has happened for so long although something is left. */
  settled(stallMs: number, limitMs = MOST_WAIT_MS): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    return this.settledOr(() => performance.now() > deadline, stallMs);
  }

  /** Waits until the journal says so or all is settled; false when nothing has happened for so long. */
  async settledOr(condition: (journal: Journal) => boolean, stallMs: number): Promise<boolean> {
    let last = '';
    let since = performance.now();
    for (;;) {
      const backlog = await this.redis.xlen(this.stream);
      const { starts, ended } = this.journal.read();
      if (backlog === 0 || condition(this.journal)) return true;
      const now = `${backlog} ${starts} ${ended.size}`;
      if (now !== last) {
        last = now;
        since = performance.now();
      } else if (performance.now() - since > stallMs) {
        return false;
      }
      await pause(LOOK_MS);
    }
  }

  /** Waits until the journal says so. */
  async until(condition: (journal: Journal) => boolean, what: string, timeoutMs = 120_000): Promise<void> {
    await waitFor(() => condition(this.journal.read()), { timeoutMs, what });
  }

  /** The entries pending for a process, by the names of its threads in the group. */
  async heldBy(pid: number, group = GROUP): Promise<string[]> {
    const held: string[] = [];
    for (const reply of (await this.redis.xinfo('CONSUMERS', this.stream, group)) as string[][]) {
      const name = String(reply[reply.indexOf('name') + 1]);
      if (!new RegExp(`^${CONSUMER_NAME}:${pid}[:#]`).test(name)) continue;
      const pending = await this.redis.xpending(this.stream, group, '-', '+', MOST_PENDING, name);
      held.push(...(pending as [id: string][]).map(([id]) => id)); // what Redis documents
    }
    return held;
  }

  async deadLetters(): Promise<Record<string, string>[]> {
    const entries = await this.redis.xrange(this.keys.deadLetters, '-', '+');
    return entries.map(([, fields]) => {
      const letter: Record<string, string> = {};
      for (let i = 0; i + 1 < fields.length; i += 2) letter[fields[i] ?? ''] = fields[i + 1] ?? '';
      return letter;
    });
  }

  /** What a group has counted. */
  async ledger(group = GROUP): Promise<Record<string, number>> {
    const ledger = await this.redis.hgetall(this.keys.ledger(this.stream, group));
    return Object.fromEntries(Object.entries(ledger).map(([name, value]) => [name, Number(value)]));
  }

  /** Entries that were appended and are neither counted by the group as settled, nor left: 0 if its ledger adds up. */
  async unaccounted(): Promise<number> {
    const facts = (await this.redis.xinfo('STREAM', this.stream)) as (string | number)[];
    const added = Number(facts[facts.indexOf('entries-added') + 1]);
    const { done = 0, dead = 0, lost = 0, before = 0 } = await this.ledger();
    return added - before - done - dead - lost - (await this.redis.xlen(this.stream));
  }

  async #startEngine(env: Record<string, string>): Promise<RunningProcess> {
    if (this.broken === 'lax-server') return startProcess(LAX_SERVER, {}, [this.server.url]);
    if (this.broken === 'nothing-taken-back') {
      return startProcess(BREAKABLE_ENGINE, {}, [this.server.url, this.broken]);
    }
    return startProcess(ENGINE, {
      REDIS_URL: this.server.url,
      SERVICE_HOST: '127.0.0.1',
      SERVICE_PORT: String(await freePort()),
      METRICS_PORT: String(await freePort()),
      WORKER_PROCESSES: '1',
      SHUTDOWN_DELAY: '0',
      ...(this.broken === 'received' ? { ACK_MODE: 'received' } : {}),
      ...env,
    });
  }

  #startConsumer(
    options: Partial<ConsumerOptions>,
    env: Record<string, string>,
    handler: URL,
  ): RunningProcess {
    const setup: ConsumerSetup = {
      // Without a breaker: in most scenarios most tasks fail by themselves.
      options: { redisUrl: this.server.url, consumerName: CONSUMER_NAME, breaker: false, ...options },
      handler: handler.href,
      broken: this.broken,
    };
    return startProcess(CONSUMER_PROCESS, env, [JSON.stringify(setup)]);
  }

  #endWithArena(process: RunningProcess): void {
    this.afterwards(() => {
      process.signal('SIGKILL');
      return process.exited;
    });
  }
}
