import { startNodeProgram } from './node-program.js';
import type { Peer } from './peer.js';
import { peerWithRedis } from './peer-with-redis.js';
import { STREAM } from './stream-queue.js';
import { unstoredPeer } from './unstored.js';

const PROGRAM = new URL('./apps/steps.js', import.meta.url);

/** A server between the bare one and the engine that promises nothing. */
export function unstoredStepPeer(name: string, step: 'heads' | 'later'): Peer {
  return unstoredPeer(name, PROGRAM, [step]);
}

/** The least that a server can do which answers 202 when Redis has the task. */
export function storedStepPeer(name: string, persistent: boolean): Peer {
  return peerWithRedis({
    ...{ name, persistent },
    startProgram: (redisUrl) => startNodeProgram(PROGRAM, ['stored', redisUrl, STREAM]),
  });
}
