import { redisConnection, SluiceError } from '@sluice/contract';
import { Redis } from 'ioredis';

/** An audit of a large backlog takes its time. */
const TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects, does something, and disconnects.
 *
 * @throws SluiceError `REDIS_UNAVAILABLE` when Redis cannot be reached, refuses, or is lost meanwhile
 */
export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    ...redisConnection('sluice-cli', TIMEOUT_MS),
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A command line is typed again rather than left waiting.
    retryStrategy: () => null,
  });
  let reason = '';
  redis.on('error', (error: Error) => {
    reason = error.message;
  });
  try {
    await redis.connect();
    return await work(redis);
  } catch (error) {
    throw isOfRedis(error) ? unavailable(url, reason, error) : error;
  } finally {
    redis.disconnect();
  }
}

function isOfRedis(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof SluiceError) return false;
  // What ioredis throws when Redis answers with an error, when the connection is gone, and when nothing comes.
  return (
    error.name === 'ReplyError' ||
    error.name === 'AbortError' ||
    error.name === 'MaxRetriesPerRequestError' ||
    /^(Connection is closed|Command timed out|Stream isn't writeable|connect |getaddrinfo |Socket timeout)/.test(
      error.message,
    ) ||
    (error as NodeJS.ErrnoException).syscall === 'connect'
  );
}

function unavailable(url: string, reason: string, error: Error): SluiceError {
  let message = error.name === 'ReplyError' ? `refused: ${error.message}` : reason || error.message;
  if (message.includes('ECONNREFUSED')) message += '; --redis, $REDIS_URL or make up say where it is';
  return new SluiceError('REDIS_UNAVAILABLE', `Redis at ${withoutPassword(url)}: ${message}`, {
    cause: error,
  });
}

export function withoutPassword(url: string): string {
  return url.replace(/^(rediss?:\/\/)[^/]*@/, '$1***@').replace(/\?.*$/, '?***');
}

/** The time of Redis, in milliseconds. */
export async function redisNow(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
