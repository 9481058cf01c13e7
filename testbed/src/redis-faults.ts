import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { RedisOptions, RedisServer } from './redis.js';
import { waitFor } from './wait-for.js';

/** Where a snapshot goes that is made to fail. */
const SNAPSHOT = 'blocked.rdb';
const FILLERS = 400;

/** What a fault is applied to. */
export interface FaultTarget {
  /** Started with `FAULTY_REDIS`. */
  readonly server: RedisServer;
  /** Where it keeps its files. */
  readonly redisDir: string;
  /** A connection of the test's own, which comes back by itself and sends again what was not answered. */
  readonly redis: Redis;
  /** The stream that everybody works on; it exists. */
  readonly stream: string;
}

/** A state Redis can get into while everything runs. */
export interface RedisFault {
  readonly name: string;
  begin(target: FaultTarget): Promise<unknown>;
  /** Redis is well again when this resolves. */
  end(target: FaultTarget): Promise<unknown>;
  /** What Redis held is gone by design: what was accepted before its end cannot be done. */
  readonly forgets?: true;
  /** Appends go on while it lasts, or right after it. */
  readonly harmless?: true;
}

/** What the faults below need of the Redis they are applied to. */
export const FAULTY_REDIS: RedisOptions = {
  persistent: true,
  config: {
    // With `always`, Redis ends itself when its disk is full; with `everysec` it refuses writes until there is room.
    appendfsync: 'everysec',
    dbfilename: SNAPSHOT,
    // µs, for each key and each command: makes LOADING last a second. Few long waits, as a busy machine adds to each.
    'key-load-delay': '2000',
    'loading-process-events-interval-bytes': '1024',
  },
};

/** All faults that every machine can have. */
export const REDIS_FAULTS: readonly RedisFault[] = [
  {
    name: 'FLUSHALL',
    forgets: true,
    harmless: true,
    begin: ({ redis }) => redis.flushall(),
    end: async () => {},
  },
  {
    name: 'OOM',
    begin: ({ redis }) => redis.config('SET', 'maxmemory', '1'),
    end: ({ redis }) => redis.config('SET', 'maxmemory', '0'),
  },
  {
    name: 'MISCONF (snapshot fails)',
    async begin({ redis, redisDir }) {
      // A snapshot is renamed to its place: with a folder there it fails.
      await rm(join(redisDir, SNAPSHOT), { force: true });
      await mkdir(join(redisDir, SNAPSHOT));
      await redis.config('SET', 'save', '3600 1');
      await redis.bgsave();
      await waitFor(async () => (await redis.info('persistence')).includes('rdb_last_bgsave_status:err'), {
        timeoutMs: 20_000,
        what: 'a snapshot to fail',
      });
    },
    async end({ redis, redisDir }) {
      await redis.config('SET', 'save', '');
      await rmdir(join(redisDir, SNAPSHOT));
    },
  },
  {
    name: 'WRONGTYPE',
    async begin({ redis, stream }) {
      await redis.multi().rename(stream, `${stream}:aside`).set(stream, 'what is this').exec();
    },
    async end({ redis, stream }) {
      await redis.multi().del(stream).rename(`${stream}:aside`, stream).exec();
    },
  },
  {
    name: 'READONLY',
    begin: ({ redis }) => redis.replicaof('127.0.0.1', 1),
    end: ({ redis }) => redis.replicaof('NO', 'ONE'),
  },
  {
    name: 'NOSCRIPT',
    harmless: true,
    begin: ({ redis }) => redis.script('FLUSH'),
    end: async () => {},
  },
  {
    name: 'paused',
    harmless: true,
    begin: async ({ server }) => server.pause(),
    end: async ({ server }) => server.resume(),
  },
  {
    name: 'LOADING',
    async begin({ redis, server }) {
      const fill = redis.pipeline();
      for (let i = 0; i < FILLERS; i++) fill.set(`filler:${i}`, 'x');
      await fill.exec();
      // From then on the file starts with a snapshot, which is what can be loaded slowly.
      await redis.bgrewriteaof();
      await waitFor(async () => /aof_rewrite_in_progress:0/.test(await redis.info('persistence')), {
        timeoutMs: 20_000,
        what: 'the append-only file to be rewritten',
      });
      await server.kill();
    },
    end: ({ server }) => server.restart(),
  },
];
