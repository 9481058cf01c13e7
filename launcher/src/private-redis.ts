import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { redisConnection, SluiceError } from '@sluice/contract';
import { Redis } from 'ioredis';
import { REDIS_IMAGE, type RedisCommand } from './redis-binary.js';
import { isRecentEnough, tooOld } from './redis-version.js';

const LOOK_EVERY_MS = 20;
const COMMAND_LIMIT_MS = 2000;

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
    // Its command line stays as it is: by the folder in it a later launcher knows it as its own.
    'set-proc-title': 'no',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  if (contained) args.unshift(...containerArguments(port, resolvePath(dir)));
  // A process group of its own: Ctrl-C is for the launcher, which ends Redis last.
  return spawn(command.program, args, { stdio: ['ignore', log, log], detached: true });
}

const CONTAINER_PORT = 6379;

function containerArguments(port: number, dir: string): string[] {
  const published = `127.0.0.1:${port}:${CONTAINER_PORT}`;
  // As the user of the checkout: it must be able to delete what the container has written.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  return ['run', '--rm', '--user', user, '-p', published, '-v', `${dir}:/data`, REDIS_IMAGE, 'redis-server'];
}

/**
 * Resolves when the Redis at the URL takes commands.
 *
 * @param limitMs for how long to try
 * @param hasEnded trying ends when this says so
 * @throws SluiceError `REDIS_UNAVAILABLE` when it does not, or is too old
 */
export async function redisAnswers(url: string, limitMs: number, hasEnded = () => false): Promise<void> {
  const client = new Redis(url, redisConnection('sluice-launcher', COMMAND_LIMIT_MS));
  let reason = 'it does not answer';
  const because = (error: Error): void => {
    if (!/writeable|offline|Connection is closed/i.test(error.message)) reason = error.message;
  };
  client.on('error', because);
  client.connect().catch(because); // goes on trying by itself
  try {
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline && !hasEnded()) {
      const info = await client.info('server').catch(because);
      if (info !== undefined) {
        requireRecent(info);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw new SluiceError('REDIS_UNAVAILABLE', reason);
  } finally {
    client.disconnect();
  }
}

function requireRecent(info: string): void {
  const version = /^redis_version:(\S+)/m.exec(info)?.[1];
  if (version !== undefined && !isRecentEnough(version)) {
    throw new SluiceError('REDIS_UNAVAILABLE', `it ${tooOld(version)}`);
  }
}
