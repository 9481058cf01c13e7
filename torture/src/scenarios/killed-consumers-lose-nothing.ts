import { setTimeout as pause } from 'node:timers/promises';
import { accountFor } from '../account.js';
import { taskIdOf } from '../append-tasks.js';
import { percentile } from '../percentile.js';
import { atMost, exactly, type Scenario, within } from '../scenario.js';

const LEASE_S = 2;
/** The specification allows so much on top of the lease until a task of a dead consumer runs again. */
const GRACE_S = 5;
/** Without any change for so long, nothing more will happen. */
const STALL_MS = (LEASE_S + GRACE_S + 3) * 1000;
const CONSUMERS = 3;

/** Consumer processes are killed at random while they work off a full stream. */
export const killedConsumersLoseNothing: Scenario = {
  name: 'killed-consumers-lose-nothing',
  promise: 'kill -9 of a consumer loses no task, and only tasks that it held run twice',
  controls: {
    'acknowledge-first': 'tasks are acknowledged before their handler has run',
    'no-take-over': 'nobody takes over what dead consumers held',
  },
  async run(arena) {
    const tasks = arena.size(5000, 200_000);
    const kills = arena.size(5, 50);
    const entryIds = await arena.append(
      Array.from({ length: tasks }, (_, n) => ({ n, ms: Math.round(Math.random() * 40) })),
    );
    const taskOf = new Map(entryIds.map((entryId, n) => [entryId, taskIdOf(n)]));
    const fleet = await arena.fleet(CONSUMERS, { threads: 1, maxConcurrentTasks: 50, leaseSeconds: LEASE_S });

    const held: { taskId: string; pid: number; killedAt: number }[] = [];
    for (let kill = 0; kill < kills; ) {
      const wanted = (tasks * (kill + Math.random())) / (kills + 1);
      await arena.settledOr(({ ended }) => ended.size >= wanted, STALL_MS);
      const killed = await fleet.killOne();
      if (killed === undefined) {
        await pause(20); // all of them are just being replaced
        continue;
      }
      kill += 1;
      for (const entryId of await arena.heldBy(killed.pid)) {
        held.push({ taskId: taskOf.get(entryId) ?? '', pid: killed.pid, killedAt: killed.at });
      }
      if (kill % 10 === 0) arena.progress(`killed ${kill}, done ${arena.journal.ended.size} of ${tasks}`);
    }
    await arena.settled(STALL_MS);

    const account = await accountFor(arena, taskOf.values());
    const waits = held.map(({ taskId, pid, killedAt }) => {
      const again = arena.journal.runsOf(taskId).find((run) => run.startedAt > killedAt && run.pid !== pid);
      return again === undefined ? Number.POSITIVE_INFINITY : (again.startedAt - killedAt) / 1000;
    });
    return [
      exactly('consumers killed', kills, arena.size(5, 50)),
      exactly(`lost of ${tasks}`, account.lost.length, 0),
      exactly('dead letters', account.dead, 0),
      atMost('ran more than once (bar: in flight at the kills)', account.duplicates, held.length),
      exactly('of these not recognisable by attempt > 1', account.unrecognisable, 0),
      within('runs again after the kill, p99', percentile(waits, 0.99), LEASE_S + GRACE_S, 's'),
    ];
  },
};
