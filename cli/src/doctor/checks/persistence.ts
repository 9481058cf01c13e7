import type { Check } from '../facts.js';

export const persistence: Check = {
  name: 'persistence',
  look: ({ redis: { info, config } }) => {
    const save = config?.get('save');
    if (info.get('aof_enabled') === '1') return [appendOnly(config?.get('appendfsync'))];
    if (save === undefined) {
      return [
        {
          severity: 'warning',
          finding:
            'there is no append-only file, and CONFIG is not allowed: whether snapshots are saved cannot be seen',
          remedy: 'turn append-only persistence on, where the server is set up',
        },
      ];
    }
    const remedy = 'CONFIG SET appendonly yes, and the same in redis.conf';
    if (save === '') {
      return [
        {
          severity: 'error',
          finding:
            'nothing is persistent (no append-only file, no snapshots): a restart of Redis loses every task',
          remedy,
        },
      ];
    }
    return [
      {
        severity: 'warning',
        finding: `snapshots only (save ${save}): a crash of Redis loses all tasks since the last one`,
        remedy,
      },
    ];
  },
};

function appendOnly(fsync: string | undefined): ReturnType<Check['look']>[number] {
  switch (fsync) {
    case 'always':
      return { severity: 'ok', finding: 'append-only file, appendfsync always: 202 means on disk' };
    case 'everysec':
      return {
        severity: 'ok',
        finding: 'append-only file, appendfsync everysec: a crash of the machine can take the last second',
      };
    case undefined:
      return {
        severity: 'ok',
        finding: 'append-only file; CONFIG is not allowed, so how often it syncs cannot be seen',
      };
    default:
      return {
        severity: 'warning',
        finding: `append-only file, appendfsync ${fsync}: a crash of the machine can take half a minute of tasks`,
        remedy: 'CONFIG SET appendfsync everysec, or always',
      };
  }
}

export const disk: Check = {
  name: 'disk',
  look: ({ redis: { info } }) => {
    const failed = [
      ['aof_last_write_status', 'writing the append-only file'],
      ['aof_last_bgrewrite_status', 'rewriting the append-only file'],
      ['rdb_last_bgsave_status', 'saving a snapshot'],
    ].filter(([status]) => (info.get(status ?? '') ?? 'ok') !== 'ok');
    if (failed.length === 0) return [{ severity: 'ok', finding: 'the last writes to disk have worked' }];
    return failed.map(([, what]) => ({
      severity: 'error' as const,
      finding: `${what} has failed last time: Redis refuses writes (MISCONF), or will lose them`,
      remedy: 'free disk space, check the permissions of its folder; the log of Redis says which',
    }));
  },
};
