import { fileURLToPath } from 'node:url';
import type { ConsumerPeer } from './consumer-peer.js';
import { startConsumerProcess } from './consumer-process.js';
import { GROUP, groupFigures, openStreamQueue, STREAM } from './stream-queue.js';

const PROGRAM = fileURLToPath(new URL('./bare-loop-program.js', import.meta.url));

/** The reference of every figure: XREADGROUP, XACK, and nothing of what makes a consumer. */
export function bareLoopPeer(): ConsumerPeer {
  const name = 'bare loop';
  return {
    name,
    expectedPerSecond: 120_000,
    openQueue: (redisUrl) =>
      openStreamQueue(redisUrl, async (redis) => {
        const appended = await redis.xlen(STREAM); // it deletes nothing
        const { delivered, pending } = await groupFigures(redis);
        const done = delivered - pending;
        return { left: appended - done, done, dead: 0 };
      }),
    start: (redisUrl, numbered) =>
      startConsumerProcess(name, PROGRAM, {}, [
        JSON.stringify({ redisUrl, numbered, stream: STREAM, group: GROUP }),
      ]),
  };
}
