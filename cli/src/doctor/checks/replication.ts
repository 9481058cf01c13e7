import type { Check } from '../facts.js';

export const replication: Check = {
  name: 'replication',
  look: ({ redis: { info, config } }) => {
    if (info.get('role') !== 'master') {
      return [
        {
          severity: 'error',
          finding: `this server is a replica of ${info.get('master_host')}: it takes no tasks`,
          remedy: 'point REDIS_URL at the primary',
        },
      ];
    }
    const replicas = Number(info.get('connected_slaves') ?? 0);
    const needed = Number(config?.get('min-replicas-to-write') ?? 0);
    if (replicas < needed) {
      return [
        {
          severity: 'error',
          finding: `${replicas} replicas are connected and min-replicas-to-write is ${needed}: every write is refused (NOREPLICAS)`,
          remedy: 'bring the replicas back, or lower min-replicas-to-write',
        },
      ];
    }
    if (replicas === 0) return [{ severity: 'note', finding: 'no replicas: what its disk loses is lost' }];
    if (needed === 0) {
      return [
        {
          severity: 'note',
          finding: `${replicas} replicas, min-replicas-to-write 0: a failover can take the last moments of tasks that were answered 202`,
          remedy:
            'min-replicas-to-write 1 bounds it, at the price of refusing tasks while no replica is there',
        },
      ];
    }
    return [{ severity: 'ok', finding: `${replicas} replicas, ${needed} needed to write` }];
  },
};
