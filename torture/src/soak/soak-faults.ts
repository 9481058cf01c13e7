import { setTimeout as pause } from 'node:timers/promises';
import type { TcpProxy } from '@sluice/testbed';
import { pickFrom } from '@sluice/testbed';
import type { Arena, RunningEngine } from '../arena.js';
import type { Fleet } from '../fleet.js';
import { childrenOf } from '../process-figures.js';

/** What the faults of a soak are applied to. */
export interface SoakSystem {
  readonly arena: Arena;
  readonly engine: RunningEngine;
  /** Consumers that may be killed. */
  readonly fleet: Fleet;
  /** Between Redis and everybody. */
  readonly proxy: TcpProxy;
  readonly leaseSeconds: number;
  /** Seeded: what it decides comes again with the same seed. */
  readonly random: () => number;
}

/** How long Redis refuses or is silent. */
const OUTAGE_MS = 2000;

/** Each is over, and everything could work again, when it resolves. */
export const SOAK_FAULTS: Readonly<Record<string, (system: SoakSystem) => Promise<unknown>>> = {
  async 'kill a consumer'({ fleet, random }) {
    const victim = pickFrom(fleet.working, random);
    victim?.signal('SIGKILL');
    await victim?.exited;
  },
  async 'kill an engine process'({ engine }) {
    // Never the oldest: that one shows what a process is like after the whole time.
    const [, ...younger] = childrenOf(engine.process.pid);
    const victim = younger.at(-1);
    if (victim !== undefined) process.kill(victim, 'SIGKILL');
  },
  async 'freeze a consumer past its lease'({ fleet, leaseSeconds, random }) {
    const victim = pickFrom(fleet.working, random);
    victim?.signal('SIGSTOP');
    await pause((leaseSeconds + 3) * 1000);
    victim?.signal('SIGCONT');
  },
  async 'freeze Redis'({ arena }) {
    arena.server.pause();
    await pause(OUTAGE_MS);
    arena.server.resume();
  },
  async 'kill Redis'({ arena }) {
    await arena.server.kill();
    await pause(500);
    await arena.server.restart();
  },
  async 'drop replies'({ proxy }) {
    proxy.dropReplies(true);
    await pause(300);
    proxy.cut();
    proxy.dropReplies(false);
  },
  async 'no memory left in Redis'({ arena: { redis } }) {
    await redis.config('SET', 'maxmemory', '1');
    await pause(OUTAGE_MS);
    await redis.config('SET', 'maxmemory', '0');
  },
  async 'Redis read-only'({ arena: { redis } }) {
    await redis.replicaof('127.0.0.1', 1);
    await pause(OUTAGE_MS);
    await redis.replicaof('NO', 'ONE');
  },
  'forget scripts': ({ arena }) => arena.redis.script('FLUSH'),
};
