import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve as resolvePath } from 'node:path';
import { redisConnection, SluiceError } from '@sluice/contract';
import { Redis } from 'ioredis';
import { REDIS_IMAGE, type RedisCommand } from './redis-binary.js';

const START_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 20;

export interface PrivateRedisOptions {
  command: RedisCommand;
  port: number;
  /** Where it keeps its append-only file. */
  dir: string;
  /** File descriptor its output goes to. */
  log: number;
}

/**
 * Starts a Redis that only this machine reaches, with append-only persistence, and without eviction: a queue
 * that forgets under memory pressure is none.
 */
export function spawnPrivateRedis({ command, port, dir, log }: PrivateRedisOptions): ChildProcess {
  mkdirSync(dir, { recursive: true });
  const contained = command.kind === 'docker';
  const settings: Record<string, string> = {
    port: String(contained ? CONTAINER_PORT : port),
    bind: contained ? '0.0.0.0' : '127.0.0.1', // of the container, whose port only the loopback interface has
    dir: contained ? '/data' : resolvePath(dir),
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    // Not used for logging: it is the mark by which a later launcher knows this server as its own.
    'syslog-ident': markOf(dir),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  if (contained) args.unshift(...containerArguments(port, resolvePath(dir)));
  // A process group of its own: Ctrl-C is for the launcher, which ends Redis last.
  return spawn(command.program, args, { stdio: ['ignore', log, log], detached: true });
}

function markOf(dir: string): string {
  return `sluice-${createHash('sha256').update(resolvePath(dir)).digest('hex').slice(0, 16)}`;
}

const CONTAINER_PORT = 6379;

function containerArguments(port: number, dir: string): string[] {
  const published = `127.0.0.1:${port}:${CONTAINER_PORT}`;
  return ['run', '--rm', '-p', published, '-v', `${dir}:/data`, REDIS_IMAGE, 'redis-server'];
}

/**
 * Resolves when the Redis at the URL takes commands.
 *
 * @throws SluiceError `REDIS_UNAVAILABLE` when it does not within 30 s, or as soon as `hasEnded` says so
 */
export async function redisAnswers(
  url: string,
  hasEnded: () => boolean,
  limitMs = START_LIMIT_MS,
): Promise<void> {
  const client = new Redis(url, redisConnection('sluice-launcher', 2000));
  let reason = 'it does not answer';
  client.on('error', (error) => {
    reason = error.message;
  });
  client.connect().catch(() => {}); // goes on trying by itself
  try {
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline && !hasEnded()) {
      const pong = await client.ping().catch((error: Error) => {
        if (!/writeable|offline/i.test(error.message)) reason = error.message;
      });
      if (pong === 'PONG') return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw new SluiceError('REDIS_UNAVAILABLE', reason);
  } finally {
    client.disconnect();
  }
}

/**
 * Ends a Redis that a launcher left behind when it was killed. Only one that bears the
 * mark of our folder is ours: by now the port may be somebody else's.
 */
export async function endOrphanedRedis(port: number, dir: string): Promise<boolean> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    ...redisConnection('sluice-launcher', 2000),
    retryStrategy: () => null,
  });
  client.on('error', () => {}); // nobody there
  try {
    await client.connect();
    const [, mark] = (await client.config('GET', 'syslog-ident')) as string[];
    if (mark !== markOf(dir)) return false;
    // Redis answers a successful SHUTDOWN by closing the connection.
    await client.shutdown().catch(() => {});
    return true;
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** A port of the loopback interface on which nobody listens now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('the system named no port'));
      });
    });
  });
}
