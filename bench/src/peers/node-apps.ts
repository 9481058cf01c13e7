import { versionOfPackage } from '../package-version.js';
import { QUEUE } from './bullmq-queue.js';
import { openJobsWatch } from './jobs-watch.js';
import { startNodeProgram } from './node-program.js';
import type { Peer } from './peer.js';
import { peerWithRedis } from './peer-with-redis.js';
import { STREAM } from './stream-queue.js';

/** Fastify, its schema validation, and XADD by ioredis with auto-pipelining. */
export function fastifyIoredisPeer(persistent: boolean): Peer {
  return streamPeer(
    'Fastify + ioredis',
    new URL('./apps/fastify-ioredis.js', import.meta.url),
    ['fastify', 'ioredis'],
    persistent,
  );
}

/** No framework at all: node:http, JSON.parse, and XADD by ioredis with auto-pipelining. */
export function httpIoredisPeer(persistent: boolean): Peer {
  return streamPeer(
    'node:http + ioredis',
    new URL('./apps/http-ioredis.js', import.meta.url),
    ['ioredis'],
    persistent,
  );
}

export function fastifyBullmqPeer(persistent: boolean): Peer {
  return queuePeer(
    'Fastify + BullMQ',
    new URL('./apps/fastify-bullmq.js', import.meta.url),
    ['fastify', 'bullmq'],
    persistent,
  );
}

export function expressBullmqPeer(persistent: boolean): Peer {
  return queuePeer(
    'Express + BullMQ',
    new URL('./apps/express-bullmq.js', import.meta.url),
    ['express', 'bullmq'],
    persistent,
  );
}

function streamPeer(name: string, app: URL, packages: readonly string[], persistent: boolean): Peer {
  return peerWithRedis({
    ...{ name, persistent, madeOf: versionsOf(packages) },
    startProgram: (redisUrl) => startNodeProgram(app, [redisUrl, STREAM]),
  });
}

function queuePeer(name: string, app: URL, packages: readonly string[], persistent: boolean): Peer {
  return peerWithRedis({
    ...{ name, persistent, madeOf: versionsOf(packages) },
    startProgram: (redisUrl) => startNodeProgram(app, [redisUrl, QUEUE]),
    openStore: openJobsWatch,
  });
}

function versionsOf(packages: readonly string[]): string {
  return packages.map((name) => `${name} ${versionOfPackage(name)}`).join(', ');
}
