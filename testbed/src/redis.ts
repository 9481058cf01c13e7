import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRedis, freePort } from '@sluice/launcher';
import { Redis } from 'ioredis';
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

/** Where `make up` keeps a Redis it installed, too. */
const DATA_DIR = fileURLToPath(new URL('../../.data', import.meta.url));

const started = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** Starts a private Redis and waits until it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { persistent = false, config = {} } = options;
  const port = options.port ?? (await freePort());
  const dir = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: persistent ? 'yes' : 'no',
    appendfsync: 'always',
    ...config,
  };
  const binary = await redisProgram();
  const password = config.requirepass;
  const url = `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`;
  let child: ChildProcess;

  const start = async (): Promise<void> => {
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    child = spawn(binary, args, { stdio: 'ignore' });
    started.add(child);
    const starting = child;
    child.once('exit', () => started.delete(starting));
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 10, maxRetriesPerRequest: 0 });
    client.on('error', () => {}); // not up yet
    client.connect().catch(() => {});
    await waitFor(async () => (await client.ping()) === 'PONG', {
      timeoutMs: 10_000,
      what: 'the private Redis',
    });
    client.disconnect();
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };

  await start();
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
      await start();
    },
    stop: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
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
