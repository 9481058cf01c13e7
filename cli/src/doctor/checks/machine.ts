import type { Check, Facts, MachineFacts } from '../facts.js';

const ELSEWHERE = {
  severity: 'note' as const,
  finding: 'cannot be seen from here: Redis runs on another machine',
};

/** A check of the machine, which can only be made where Redis runs. */
function onMachine(
  name: string,
  look: (machine: MachineFacts, facts: Facts) => ReturnType<Check['look']>[number],
): Check {
  return { name, look: (facts) => [facts.machine === undefined ? ELSEWHERE : look(facts.machine, facts)] };
}

export const overcommit = onMachine('overcommit', ({ overcommitMemory }) => {
  const finding = `vm.overcommit_memory is ${overcommitMemory ?? 'unknown'}`;
  if (overcommitMemory === undefined || overcommitMemory === '1') return { severity: 'ok', finding };
  return {
    severity: 'warning',
    finding: `${finding}: saving or rewriting can fail for want of memory that is not needed`,
    remedy: 'sysctl vm.overcommit_memory=1, and the same in /etc/sysctl.conf',
  };
});

export const hugepages = onMachine('hugepages', ({ transparentHugepages }) => {
  const finding = `transparent huge pages: ${transparentHugepages ?? 'unknown'}`;
  if (transparentHugepages !== 'always') return { severity: 'ok', finding };
  return {
    severity: 'warning',
    finding: `${finding}: while Redis saves, it gets slow and takes up much more memory`,
    remedy: 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, at every boot',
  };
});

const LEAST_BACKLOG = 511;

export const somaxconn = onMachine('somaxconn', ({ somaxconn: most }, { redis: { config } }) => {
  const wanted = Number(config?.get('tcp-backlog') ?? LEAST_BACKLOG);
  const finding = `net.core.somaxconn is ${most ?? 'unknown'}, tcp-backlog of Redis ${wanted}`;
  if (most === undefined || most >= wanted) return { severity: 'ok', finding };
  return {
    severity: 'warning',
    finding: `${finding}: connections are dropped when many come at once, of the engine too`,
    remedy: `sysctl net.core.somaxconn=${Math.max(4096, wanted)}`,
  };
});

const LEAST_FILES = 4096;
/** Redis keeps so many for itself. */
const RESERVED_FILES = 32;

export const openFiles = onMachine('open files', ({ redisOpenFiles, ownOpenFiles }, { redis: { info } }) => {
  const needed = Number(info.get('maxclients') ?? 0) + RESERVED_FILES;
  const finding = `open files: Redis ${redisOpenFiles ?? 'unlimited'}, programs started from here ${ownOpenFiles ?? 'unlimited'}`;
  if (redisOpenFiles !== undefined && redisOpenFiles < needed) {
    return {
      severity: 'warning',
      finding: `${finding}; Redis needs ${needed} for its maxclients`,
      remedy: 'raise the limit of the service (LimitNOFILE, ulimit -n), or lower maxclients',
    };
  }
  if (ownOpenFiles !== undefined && ownOpenFiles < LEAST_FILES) {
    return {
      severity: 'warning',
      finding: `${finding}: an engine has one per connection`,
      remedy: `ulimit -n 65536 before the engine is started`,
    };
  }
  return { severity: 'ok', finding };
});
