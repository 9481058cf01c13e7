import { accountFor } from '../account.js';
import { taskIdOf } from '../append-tasks.js';
import { exactly, type Scenario } from '../scenario.js';

const TIMES_THE_LEASE = 5;

/** Tasks take several times as long as a consumer may be silent, with another consumer waiting to take over. */
export const longTasksRunOnce: Scenario = {
  name: 'long-tasks-run-once',
  promise: 'a task that takes longer than the lease stays with its consumer',
  controls: { 'no-renewal': 'leases are not renewed' },
  async run(arena) {
    const tasks = arena.size(50, 1000);
    const leaseSeconds = 3; // longer than a busy machine stands still
    const options = { threads: 1, leaseSeconds, maxConcurrentTasks: tasks };
    await arena.fleet(2, options);
    await arena.append(
      Array.from({ length: tasks }, (_, n) => ({ n, ms: TIMES_THE_LEASE * leaseSeconds * 1000 })),
    );
    const taskMs = TIMES_THE_LEASE * leaseSeconds * 1000;
    await arena.settled(2 * taskMs, 2 * taskMs);
    const account = await accountFor(
      arena,
      Array.from({ length: tasks }, (_, n) => taskIdOf(n)),
    );
    return [
      exactly(`done of ${tasks} tasks of ${TIMES_THE_LEASE} leases each`, account.done, tasks),
      exactly('runs beyond the first', account.duplicates, 0),
      exactly('taken over', (await arena.ledger()).taken_over ?? 0, 0),
    ];
  },
};
