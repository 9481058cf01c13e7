import { fileURLToPath } from 'node:url';
import { queueKeys } from '@sluice/contract';
import type { ConsumerPeer, RunningConsumer } from './consumer-peer.js';
import { startConsumerProcess } from './consumer-process.js';
import { GROUP, openStreamQueue, STREAM } from './stream-queue.js';

// The program itself, with the handlers of the bench. Its package is found by name, its main.ts is no door of it.
const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.resolve('@sluice/consumers')));
const NAME = 'sluice';
const HANDLERS = new URL('./sluice-handlers.js', import.meta.url);

/** One process of Sluice's consumer with its default options: retries, ledger, dead letters, leases, all of it. */
export function sluiceConsumerPeer(): ConsumerPeer {
  return {
    name: NAME,
    expectedPerSecond: 150_000,
    openQueue: (redisUrl) =>
      openStreamQueue(redisUrl, async (redis) => {
        const ledger = queueKeys(STREAM).ledger(STREAM, GROUP);
        const [[, left], [, counts]] = (await redis
          .multi()
          .xlen(STREAM)
          .hmget(ledger, 'done', 'dead')
          .exec()) as [[null, number], [null, (string | null)[]]]; // reads do not fail
        const [done, dead] = counts.map((count) => Number(count ?? 0));
        return { left, done: done ?? 0, dead: dead ?? 0 };
      }),
    start: (redisUrl, numbered) => startSluiceConsumer(redisUrl, numbered),
  };
}

/** Starts the consumer program with handlers that do nothing; `more`: more of its environment. */
export function startSluiceConsumer(
  redisUrl: string,
  numbered: number,
  more: Readonly<Record<string, string>> = {},
): RunningConsumer {
  const handlers = new URL(HANDLERS);
  handlers.searchParams.set('numbered', String(numbered));
  return startConsumerProcess(NAME, PROGRAM, {
    REDIS_URL: redisUrl,
    REDIS_STREAM_NAME: STREAM,
    HANDLER_MODULE: handlers.href,
    ...more,
  });
}
