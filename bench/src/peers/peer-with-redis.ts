import { type RedisServer, startRedis } from '@sluice/testbed';
import { cpuSecondsOfTree } from '../cpu-time.js';
import type { Exchange } from '../load/closed-loop.js';
import type { Peer, RunningPeer } from './peer.js';
import { startReplica } from './replica.js';
import { STREAM } from './stream-queue.js';
import { StreamWatch } from './stream-watch.js';

const LOG_CHARACTERS = 1000;

/** What makes a peer that stores its tasks in Redis. */
export interface PeerWithRedis {
  name: string;
  madeOf?: string;
  /** Redis writes its append-only file, fsync every second; otherwise it keeps nothing. */
  persistent: boolean;
  /** Redis has a replica, in step before the program starts. @default false */
  replica?: boolean;
  startProgram(redisUrl: string): Promise<IntakeProgram>;
  /** @default the stream of the bench */
  openStore?(redisUrl: string): Promise<TaskStore>;
}

/** A program that takes tasks in over HTTP. */
export interface IntakeProgram {
  readonly url: string;
  /** Where it tells its metrics, if it does. */
  readonly opsUrl?: string;
  readonly exchange?: Exchange;
  readonly pid: number;
  output(): string;
  /** @throws BenchFault when it does not end as it should */
  stop(): Promise<void>;
}

/** Where tasks arrive, seen from outside. */
export interface TaskStore {
  readonly redisVersion: string;
  /** @throws BenchFault when what was added is not what was accepted */
  verify(accepted: number, unanswered: number): Promise<void>;
  close(): void;
}

/** A peer with a private Redis of its own, both new in each round. */
export function peerWithRedis({ name, madeOf, persistent, replica = false, ...parts }: PeerWithRedis): Peer {
  return {
    name,
    ...(madeOf === undefined ? {} : { madeOf }),
    async start() {
      const redis = await startRedis(persistent ? { persistent, config: { appendfsync: 'everysec' } } : {});
      const replicas: RedisServer[] = [];
      const stopRedis = async () => {
        await Promise.all([redis, ...replicas].map((server) => server.stop()));
      };
      try {
        if (replica) replicas.push(await startReplica(redis));
        return await startOn(redis, parts, stopRedis);
      } catch (error) {
        await stopRedis();
        throw error;
      }
    },
  };
}

async function startOn(
  redis: RedisServer,
  {
    startProgram,
    openStore = (redisUrl) => StreamWatch.open(redisUrl, STREAM),
  }: Pick<PeerWithRedis, 'startProgram' | 'openStore'>,
  stopRedis: () => Promise<void>,
): Promise<RunningPeer> {
  const startedAt = performance.now();
  const program = await startProgram(redis.url);
  const readyAfterMs = performance.now() - startedAt;
  try {
    return running({ ...program, readyAfterMs }, redis, await openStore(redis.url), stopRedis);
  } catch (error) {
    await program.stop().catch(() => {}); // what went wrong first is what matters
    throw error;
  }
}

function running(
  program: IntakeProgram & { readyAfterMs: number },
  redis: RedisServer,
  store: TaskStore,
  stopRedis: () => Promise<void>,
): RunningPeer {
  const { url, opsUrl, exchange, pid, readyAfterMs } = program;
  return {
    ...{ url, pid, readyAfterMs },
    ...(opsUrl === undefined ? {} : { opsUrl }),
    ...(exchange === undefined ? {} : { exchange }),
    redisVersion: store.redisVersion,
    cpuSeconds() {
      const server = cpuSecondsOfTree(program.pid);
      const redisSeconds = cpuSecondsOfTree(redis.pid);
      return server === undefined || redisSeconds === undefined ? undefined : { server, redis: redisSeconds };
    },
    verify: (accepted, unanswered) => store.verify(accepted, unanswered),
    log: () => program.output().slice(-LOG_CHARACTERS),
    async stop() {
      store.close();
      try {
        await program.stop();
      } finally {
        await stopRedis();
      }
    },
  };
}
