import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type RedisFault, waitFor } from '@sluice/testbed';

const run = promisify(execFile);

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
      timeoutMs: 20_000,
      what: 'Redis to notice that its disk is full',
    });
  },
  async end({ redis, redisDir }) {
    await rm(join(redisDir, 'ballast'));
    await waitFor(async () => (await redis.info('persistence')).includes('aof_last_write_status:ok'), {
      timeoutMs: 20_000,
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
