import { setTimeout as pause } from 'node:timers/promises';
import { accountFor, recognisable } from '../account.js';
import { IntakeLoad } from '../intake-load.js';
import { atLeast, exactly, type Scenario, stated } from '../scenario.js';

const PER_SECOND = 300;
const LEASE_S = 2;

/** Redis is killed at random moments of intake and work, and started again. */
export const killedRedisLosesNo202: Scenario = {
  name: 'killed-redis-loses-no-202',
  promise:
    'with append-only file and fsync at every write, whatever was answered 202 survives kill -9 of Redis',
  controls: { received: '202 before Redis has confirmed the append (ACK_MODE=received)' },
  redis: { persistent: true },
  async run(arena) {
    const kills = arena.size(4, 20);
    const { url } = await arena.engine({ APPEND_TIMEOUT: '0.5' });
    await arena.fleet(2, { threads: 1, leaseSeconds: LEASE_S });
    const load = new IntakeLoad(url, PER_SECOND, () => ({ ms: 20 }));
    arena.afterwards(() => load.stop());
    for (let kill = 0; kill < kills; kill++) {
      const before = load.accepted.length;
      await arena.until(() => load.accepted.length >= before + PER_SECOND / 3, 'tasks to be accepted');
      await pause(Math.random() * 100);
      await arena.server.kill();
      await pause(Math.random() * 200);
      await arena.server.restart();
      if (kill % 5 === 4) arena.progress(`killed ${kill + 1} of ${kills}, accepted ${load.accepted.length}`);
    }
    await load.stop();
    const settled = await arena.settled((LEASE_S + 8) * 1000);
    const accepted = load.accepted.map(({ taskId }) => taskId ?? '');
    const account = await accountFor(arena, accepted);
    return [
      exactly('kills of Redis', kills, arena.size(4, 20)),
      atLeast('answered 202', accepted.length, (kills * PER_SECOND) / 3),
      exactly('of these lost', account.lost.length, 0),
      exactly('of these dead letters', account.dead, 0),
      exactly('still waiting at the end', settled ? 0 : await arena.redis.xlen(arena.stream), 0),
      exactly('requests that hung', load.answers.filter(({ outcome }) => outcome === 'hung').length, 0),
      stated('runs again', String(account.duplicates)),
      ...recognisable(account),
    ];
  },
};
