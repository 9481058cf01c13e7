import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRedis, freePort } from '@sluice/launcher';
import { Redis } from 'ioredis';
import { endWithUs, removeWithUs } from './end-with-us.js';
import { waitFor } from './wait-for.js';

export interface RedisOptions {
  /** @default a free one */
  port?: number;
  /** Keeps every write across {@link RedisServer.kill}: append-only file, fsync always. @default false */
  persistent?: boolean;
  /** More settings, as in redis.conf. */
  config?: Record<string, string>;
}

/** A Redis server of its own for a test or bench: loopback only, in a temporary folder. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  /** Freezes it (SIGSTOP): connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same folder. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** A busy machine may take this long to load what an append-only file holds. */
const START_LIMIT_MS = 60_000;
const PORT_ATTEMPTS = 5;
const OUTPUT_CHARACTERS = 4000;
/** Where `make up` keeps a Redis it installed, too. */
const DATA_DIR = fileURLToPath(new URL('../../.data', import.meta.url));

/**
 * Starts a private Redis and waits until it answers.
 *
 * @throws Error with what it printed, when it ends instead
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = await redisProgram();
  const dir = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
  removeWithUs(dir);
  try {
    if (options.port !== undefined) return await startOn(options.port, program, dir, options);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        return await startOn(port, program, dir, options);
      } catch (error) {
        // Between our looking and its listening another program can have taken the port.
        if (attempt === PORT_ATTEMPTS || !/Address already in use/.test(String(error))) throw error;
      }
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function startOn(
  port: number,
  program: string,
  dir: string,
  { persistent = false, config = {} }: RedisOptions,
): Promise<RedisServer> {
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: persistent ? 'yes' : 'no',
    appendfsync: 'always',
    ...config,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const { requirepass } = config;
  const url = `redis://${requirepass === undefined ? '' : `:${encodeURIComponent(requirepass)}@`}127.0.0.1:${port}`;
  let child = await startServer(program, args, url);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url,
    port,
    dir,
    get pid() {
      return child.pid ?? 0;
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
    restart: async () => {
      await kill();
      child = await startServer(program, args, url);
    },
    stop: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startServer(program: string, args: string[], url: string): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  endWithUs(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS);
    });
  }
  let fault: Error | undefined;
  child.once('error', (error) => {
    fault = error;
  });
  child.once('close', (code) => {
    fault ??= new Error(`Redis ended at its start (exit code ${code}):\n${output}`);
  });
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => 10,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false, // a ping would wait for a server that never comes
  });
  client.on('error', () => {}); // not up yet
  client.connect().catch(() => {});
  try {
    await waitFor(async () => fault !== undefined || (await client.ping()) === 'PONG', {
      timeoutMs: START_LIMIT_MS,
      what: 'the private Redis',
    });
    if (fault !== undefined) throw fault;
    return child;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    client.disconnect();
  }
}

/** The program is looked for, or installed, once per process. */
let program: Promise<string> | undefined;

function redisProgram(): Promise<string> {
  program ??= findRedis({ dataDir: DATA_DIR, environment: process.env }).then((command) => {
    if (command.kind === 'program') return command.program;
    throw new Error('the tests pause and kill Redis: they need a redis-server, not one in a container');
  });
  return program;
}
