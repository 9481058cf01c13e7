import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULTY_REDIS } from '@sluice/testbed';
import { Arena } from '../arena.js';
import { DISK_FULL, mountSmallDisk } from '../full-disk.js';
import { type Scenario, skipped } from '../scenario.js';
import { withstand } from './redis-faults-pass.js';

const DISK_MIB = 16;

/** The disk of Redis is full for a while: a file system of its own, 16 MiB of memory. */
export const diskFullPasses: Scenario = {
  name: 'disk-full-passes',
  promise: 'a full disk under Redis ends no process and makes nothing be acknowledged falsely',
  controls: { received: '202 before Redis has confirmed the append (ACK_MODE=received)' },
  async run(outer) {
    const disk = await mkdtemp(join(tmpdir(), 'sluice-disk-'));
    const unmount = await mountSmallDisk(disk, DISK_MIB);
    if (unmount === false) {
      await rm(disk, { recursive: true });
      return [skipped('MISCONF (disk full)', 'mounting a small tmpfs is not permitted here')];
    }
    outer.afterwards(async () => {
      await unmount();
      await rm(disk, { recursive: true });
    });
    const { full, broken, progress } = outer;
    const redis = { ...FAULTY_REDIS, config: { ...FAULTY_REDIS.config, dir: disk } };
    const arena = await Arena.open({ full, broken, progress, redis, redisDir: disk });
    outer.afterwards(() => arena.close());
    return withstand(arena, [DISK_FULL]);
  },
};
