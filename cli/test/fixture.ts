import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Consumer, type ConsumerOptions, createConsumer } from '@sluice/consumers';
import { MESSAGE_FIELDS, queueKeys } from '@sluice/contract';
import { type RedisOptions, type RedisServer, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { sluice } from '#cli/sluice.js';
import type { Told } from './handlers/obey.js';

/** The command as npm installs it. */
export const SLUICE = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));
const HANDLERS = {
  default: new URL('./handlers/untyped.js', import.meta.url),
  mail: new URL('./handlers/mail.js', import.meta.url),
};

const DELAY = `
local fields = {}
for i = 2, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('ZADD', KEYS[1], redis.call('TIME')[1] * 1000 + ARGV[1], fields[2])
redis.call('HSET', KEYS[2], fields[2], cmsgpack.pack(fields))
redis.call('HINCRBY', KEYS[3], 'scheduled', 1)`;

/** How a command ended. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** One test's queue on its own Redis; everything it starts ends with the test. */
export class Fixture {
  readonly server: RedisServer;
  readonly redis: Redis;
  readonly folder: string;
  readonly keys = queueKeys('tasks:stream');
  readonly #consumers: Consumer[] = [];

  constructor(server: RedisServer, folder: string) {
    this.server = server;
    this.folder = folder;
    this.redis = new Redis(server.url, { protocol: 2 });
    this.redis.on('error', () => {}); // some tests take it away
  }

  /** Appends an entry as the engine does, and returns its entry id. */
  async append(data: Told | unknown, type = 'default', fields: Record<string, string> = {}): Promise<string> {
    const message: Record<string, string> = {
      task_id: randomUUID(),
      timestamp: new Date().toISOString(),
      type,
      content_type: 'application/json',
      payload: JSON.stringify({ data }),
      trace_context: '',
      ...fields,
    };
    const flat = MESSAGE_FIELDS.flatMap((name) => [name, message[name] ?? '']);
    return (await this.redis.xadd(this.keys.stream(type), '*', ...flat)) ?? '';
  }

  async appendMany(count: number, data: Told, type = 'default'): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, () => this.append(data, type)));
  }

  /** Stores a task until it is due, as the engine does, and returns its task id. */
  async delay(data: Told | unknown, delayMs: number, type = 'default'): Promise<string> {
    const id = randomUUID();
    const { due, tasks, ledger } = this.keys.schedule(this.keys.stream(type));
    const fields = ['task_id', id, 'type', type, 'payload', JSON.stringify({ data })];
    await this.redis.eval(DELAY, 3, due, tasks, ledger, delayMs, ...fields);
    return id;
  }

  /** Starts a consumer of untyped tasks and of type `mail`; it is stopped with the test. */
  async consume(options: Partial<ConsumerOptions> = {}): Promise<Consumer> {
    const consumer = createConsumer({
      redisUrl: this.server.url,
      handlers: HANDLERS,
      threads: 1,
      backoffBaseSeconds: 0.02,
      backoffJitter: 0,
      breaker: false, // most tasks fail here, on purpose
      shutdownTimeoutSeconds: 0,
      ...options,
    });
    this.#consumers.push(consumer);
    await consumer.start();
    return consumer;
  }

  /** Runs the command on this queue, in this process. */
  sluice(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return runHere(args, { REDIS_URL: this.server.url, ...env });
  }

  /** Runs the command on this queue as a user does. */
  program(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return runProgram(args, { REDIS_URL: this.server.url, ...env });
  }

  /** Waits until a group has counted so many of something on all streams named. */
  async counted(
    counter: string,
    count: number,
    stream = 'tasks:stream',
    group = 'processors',
  ): Promise<void> {
    const key = this.keys.ledger(stream, group);
    await waitFor(async () => Number(await this.redis.hget(key, counter)) >= count, {
      timeoutMs: 60_000,
      what: `${count} ${counter} on ${stream}`,
    });
  }

  /** The dead letters as records, with their id. */
  async deadLetters(): Promise<(Record<string, string> & { id: string })[]> {
    const entries = await this.redis.xrange(this.keys.deadLetters, '-', '+');
    return entries.map(([id, fields]) => {
      const letter: Record<string, string> & { id: string } = { id };
      for (let i = 0; i + 1 < fields.length; i += 2) letter[fields[i] ?? ''] = fields[i + 1] ?? '';
      return { ...letter, id };
    });
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
    this.redis.disconnect();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * Runs the command in this process, which spares a start of half a second; `env` is added to the environment of this process.
 * Each command is run by `runProgram`, too.
 */
export async function runHere(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const given: Record<string, string | undefined> = { ...process.env, ...env };
  const ran = { stdout: '', stderr: '' };
  const code = await sluice(args, given, {
    print: (text) => {
      ran.stdout += `${text}\n`;
    },
    say: (text) => {
      ran.stderr += `${text}\n`;
    },
    progress: () => {},
    interactive: false,
    ask: () => Promise.reject(new Error('nobody can be asked')),
    interrupted: new AbortController().signal,
    editor: given.VISUAL || given.EDITOR,
  });
  return { code, ...ran };
}

/** Runs the command as a user does; `env` is added to the environment of this process. */
export function runProgram(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [SLUICE, ...args],
      { env: { ...process.env, ...env }, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** A queue of its own for a test. */
export async function setUp(context: TestContext, options: RedisOptions = {}): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  const fixture = new Fixture(await startRedis(options), folder);
  context.after(() => fixture.cleanUp());
  return fixture;
}
