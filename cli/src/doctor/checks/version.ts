import type { Check } from '../facts.js';

const FLOOR = 7;

/** What newer servers have that Sluice can use when it is there. */
const NEWER: Readonly<Record<string, string>> = {
  WAITAOF: '7.2',
  XACKDEL: '8.2',
  'XREADGROUP CLAIM': '8.4',
  'XADD IDMP': '8.6',
};

export const version: Check = {
  name: 'version',
  look: ({ redis: { info, features } }) => {
    const valkey = info.get('valkey_version');
    const name = valkey === undefined ? `Redis ${info.get('redis_version')}` : `Valkey ${valkey}`;
    if (Number(info.get('redis_version')?.split('.')[0]) < FLOOR) {
      return [
        {
          severity: 'error',
          finding: `${name} is too old: scripts with flags and XINFO entries-added came with Redis ${FLOOR}.0`,
          remedy: `run Redis ${FLOOR}.0 or later`,
        },
      ];
    }
    const missing = Object.entries(NEWER).filter(([feature]) => !features.includes(feature));
    const without = missing.map(([feature, since]) => `${feature} (${since})`).join(', ');
    const news = `newer features: ${features.join(', ') || 'none'}${without === '' ? '' : `; not here: ${without}`}`;
    return [{ severity: 'ok', finding: `${name}; ${news}` }];
  },
};

export const cluster: Check = {
  name: 'cluster',
  look: ({ redis: { info }, queue: { streamName } }) => {
    if (info.get('cluster_enabled') !== '1')
      return [{ severity: 'ok', finding: 'no cluster: all keys are in one place' }];
    if (/\{[^}]+\}/.test(streamName))
      return [{ severity: 'ok', finding: 'a cluster, and one hash tag for all keys' }];
    return [
      {
        severity: 'error',
        finding: `a cluster, and ${streamName} has no hash tag: the keys of the queue lie in different slots, where no script can reach them together`,
        remedy: 'set REDIS_STREAM_NAME to a name with a hash tag, such as {tasks}:stream',
      },
    ];
  },
};
