import type { Check } from '../facts.js';

const WARN_SHARE = 0.75;
const ERROR_SHARE = 0.9;

export const eviction: Check = {
  name: 'eviction',
  look: ({ redis: { info } }) => {
    const policy = info.get('maxmemory_policy') ?? 'unknown';
    const evicted = Number(info.get('evicted_keys') ?? 0);
    const remedy = 'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf';
    if (evicted > 0) {
      const finding = `${evicted} keys were evicted since the server started; the policy is ${policy}`;
      return [
        { severity: 'error', finding, remedy: `${remedy}; then sluice audit: what was evicted is gone` },
      ];
    }
    if (policy === 'noeviction') return [{ severity: 'ok', finding: 'maxmemory-policy is noeviction' }];
    if (policy.startsWith('volatile')) {
      const finding = `maxmemory-policy is ${policy}: short of memory, Redis deletes keys that have a time to live, idempotency keys among them`;
      return [{ severity: 'warning', finding, remedy }];
    }
    const finding = `maxmemory-policy is ${policy}: short of memory, Redis deletes whole streams with all their tasks`;
    return [{ severity: 'error', finding, remedy }];
  },
};

export const memory: Check = {
  name: 'memory',
  look: ({ redis: { info } }) => {
    const used = Number(info.get('used_memory'));
    const limit = Number(info.get('maxmemory'));
    const machine = Number(info.get('total_system_memory') ?? 0);
    const remedy = 'work off the backlog, purge dead letters (sluice dlq purge), or give Redis more memory';
    if (limit === 0) {
      const share = machine > 0 ? used / machine : 0;
      const finding = `maxmemory is not set, ${mebibytes(used)} of ${mebibytes(machine)} on the machine are used: when it is full, the kernel kills Redis`;
      if (share > ERROR_SHARE) return [{ severity: 'error', finding, remedy }];
      return [
        {
          severity: 'warning',
          finding,
          remedy:
            'set maxmemory to some three quarters of what Redis may have: the engine then sheds with 503 instead',
        },
      ];
    }
    const share = used / limit;
    const finding = `${mebibytes(used)} of ${mebibytes(limit)} are used (${Math.round(share * 100)} %)`;
    if (share > ERROR_SHARE) {
      return [{ severity: 'error', finding: `${finding}: soon Redis refuses new tasks (OOM)`, remedy }];
    }
    if (share > WARN_SHARE) return [{ severity: 'warning', finding, remedy }];
    return [{ severity: 'ok', finding }];
  },
};

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(bytes < 100 * 1024 * 1024 ? 1 : 0)} MiB`;
}
