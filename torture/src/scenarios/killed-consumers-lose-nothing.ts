import { setTimeout as pause } from 'node:timers/promises';
import { accountFor, recognisable } from '../account.js';
import { taskIdOf } from '../append-tasks.js';
import type { Fleet } from '../fleet.js';
import { percentile } from '../percentile.js';
import { atMost, exactly, type Scenario, stated, within } from '../scenario.js';

const LEASE_S = 2;
/** The specification allows so much on top of the lease until a task of a dead consumer runs again. */
const GRACE_S = 5;
/** Without any change for so long, nothing more will happen. */
const STALL_MS = (LEASE_S + GRACE_S + 3) * 1000;
const CONSUMERS = 3;
const MAX_CRASHES = 3;
/** Runs that ended with their process after which a task is a suspect: run while no other suspect is. */
const SUSPECT_AFTER = 2;
/** Unexpected dead letters that are named one by one: reason, attempts, crashes. */
const MOST_NAMED = 5;
const IN_FLIGHT = 200;
const MOST_MS = 200;

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
    const fleet = await arena.fleet(CONSUMERS, {
      threads: 1,
      maxConcurrentTasks: IN_FLIGHT,
      leaseSeconds: LEASE_S,
      maxCrashes: MAX_CRASHES,
    });
    const taskOf = new Map<string, string>();
    const held: { taskId: string; pid: number; killedAt: number }[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      const before = arena.journal.read().ended.size;
      const first = taskOf.size;
      const fresh = Math.floor((tasks * kill) / kills) - first;
      const entryIds = await arena.append(
        Array.from({ length: fresh }, (_, i) => ({ n: first + i, ms: Math.round(Math.random() * MOST_MS) })),
      );
      for (const [i, entryId] of entryIds.entries()) taskOf.set(entryId, taskIdOf(first + i));
      const wanted = before + Math.random() * Math.min(fresh, 2 * IN_FLIGHT);
      await arena.settledOr(({ ended }) => ended.size >= wanted, STALL_MS);
      const killed = await killOneOf(fleet);
      for (const entryId of await arena.heldBy(killed.pid)) {
        held.push({ taskId: taskOf.get(entryId) ?? '', pid: killed.pid, killedAt: killed.at });
      }
      if (kill % 10 === 0) arena.progress(`killed ${kill}, done ${arena.journal.ended.size} of ${tasks}`);
      // The stream is to be full when the next one is killed, and not ever fuller.
      await arena.settledOr(({ ended }) => ended.size >= taskOf.size - fresh / 2, STALL_MS);
    }
    await arena.settled(STALL_MS);

    const account = await accountFor(arena, taskOf.values());
    // Who is in flight at three kills is taken for the culprit: that is what MAX_CRASHES says.
    const letters = await arena.deadLetters();
    // One more when the process that was to bury it was killed just then.
    const otherDead = letters.filter(
      ({ reason, attempts, crashes }) =>
        reason !== 'crashed' || attempts !== '0' || Number(crashes) < MAX_CRASHES,
    );
    const waits: number[] = [];
    const suspectWaits: number[] = [];
    for (const { taskId, pid, killedAt } of held) {
      const again = arena.journal.runsOf(taskId).find((run) => run.startedAt > killedAt && run.pid !== pid);
      const wait = again === undefined ? Number.POSITIVE_INFINITY : (again.startedAt - killedAt) / 1000;
      (again !== undefined && again.attempt > SUSPECT_AFTER ? suspectWaits : waits).push(wait);
    }
    return [
      exactly('consumers killed', kills, arena.size(5, 50)),
      exactly(`lost of ${tasks}`, account.lost.length, 0),
      stated(`dead letters: killed ${MAX_CRASHES} times while they ran`, String(account.dead)),
      exactly('dead letters with any other history', otherDead.length, 0),
      ...otherDead
        .slice(0, MOST_NAMED)
        .map((letter) =>
          stated(letter.task_id ?? '', `${letter.reason} ${letter.attempts} ${letter.crashes}`),
        ),
      atMost('ran more than once (bar: in flight at the kills)', account.duplicates, held.length),
      ...recognisable(account),
      within('runs again after its first kill, p99', percentile(waits, 0.99), LEASE_S + GRACE_S, 's'),
      stated(
        'the same, killed twice or more: run one at a time',
        suspectWaits.length === 0
          ? 'none'
          : `${suspectWaits.length}, p99 ${percentile(suspectWaits, 0.99).toFixed(1)} s`,
      ),
    ];
  },
};

async function killOneOf(fleet: Fleet): Promise<{ pid: number; at: number }> {
  for (;;) {
    const killed = await fleet.killOne();
    if (killed !== undefined) return killed;
    await pause(20); // all of them are just being replaced
  }
}
