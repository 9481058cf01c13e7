import { execFile } from 'node:child_process';
import { mkdir, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RedisOptions } from '@sluice/testbed';
import { waitFor } from '@sluice/testbed';
import type { Arena } from './arena.js';

const run = promisify(execFile);

/** Where a snapshot goes that is made to fail. */
const SNAPSHOT = 'blocked.rdb';
const FILLERS = 400;

/** A state Redis can get into while everything runs. */
export interface RedisFault {
  readonly name: string;
  begin(arena: Arena): Promise<unknown>;
  /** Redis is well again when this resolves. */
  end(arena: Arena): Promise<unknown>;
  /** What Redis held is gone by design: what was accepted before its end cannot be done. */
  readonly forgets?: true;
  /** Appends go on while it lasts. */
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
        timeoutMs: 5000,
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
    name: 'LOADING',
    async begin({ redis, server }) {
      const fill = redis.pipeline();
      for (let i = 0; i < FILLERS; i++) fill.set(`filler:${i}`, 'x');
      await fill.exec();
      // From then on the file starts with a snapshot, which is what can be loaded slowly.
      await redis.bgrewriteaof();
      await waitFor(async () => /aof_rewrite_in_progress:0/.test(await redis.info('persistence')), {
        timeoutMs: 5000,
        what: 'the append-only file to be rewritten',
      });
      await server.kill();
    },
    end: ({ server }) => server.restart(),
  },
];

/** A disk that is full: needs a file system of its own, which not everybody may mount. */
export const DISK_FULL: RedisFault = {
  name: 'MISCONF (disk full)',
  async begin({ redis, redisDir }) {
    const ballast = await open(join(redisDir, 'ballast'), 'w');
    const block = Buffer.alloc(64 * 1024);
    try {
      for (;;) await ballast.write(block);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      await ballast.close();
    }
    await waitFor(async () => (await redis.info('persistence')).includes('aof_last_write_status:err'), {
      timeoutMs: 5000,
      what: 'Redis to notice that its disk is full',
    });
  },
  async end({ redis, redisDir }) {
    await rm(join(redisDir, 'ballast'));
    await waitFor(async () => (await redis.info('persistence')).includes('aof_last_write_status:ok'), {
      timeoutMs: 5000,
      what: 'Redis to notice that there is room again',
    });
  },
};

/** Puts a small file system under a folder; false when we may not. Taken away by what is returned. */
export async function mountSmallDisk(
  folder: string,
  mebibytes: number,
): Promise<(() => Promise<void>) | false> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]);
  } catch {
    return false;
  }
  return async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        await run('umount', [folder]);
        return;
      } catch (error) {
        if (attempt === 20) throw error;
        await pause(100); // whoever had files open there is just ending
      }
    }
  };
}
