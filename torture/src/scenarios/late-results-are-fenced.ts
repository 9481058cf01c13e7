import { setTimeout as pause } from 'node:timers/promises';
import { accountFor } from '../account.js';
import { taskIdOf } from '../append-tasks.js';
import type { Arena } from '../arena.js';
import { atLeast, exactly, type Scenario } from '../scenario.js';

const LEASE_S = 1;
const TASKS = 20;
/** Long enough that the frozen consumer holds them all when it freezes, also where that comes two seconds late. */
const FIRST_RUN_MS = 4000;
/** Long enough that the second run is still going on when the late result comes. */
const SECOND_RUN_MS = 8000;
/** For the late results to have been sent, and written if nobody fenced them off. */
const LATE_MS = 700;

/** Consumers are frozen past their lease and thawed while others run what they had held. */
export const lateResultsAreFenced: Scenario = {
  name: 'late-results-are-fenced',
  promise: 'the late result of a consumer that was frozen past its lease does not count',
  controls: { 'no-fencing': 'a consumer settles what it no longer owns' },
  async run(arena) {
    const rounds = arena.size(1, 20);
    let late = 0;
    let counted = 0;
    for (let round = 0; round < rounds; round++) {
      const found = await freezeAndThaw(arena, round * TASKS);
      late += found.late;
      counted += found.counted;
      if (round % 5 === 4) arena.progress(`round ${round + 1} of ${rounds}`);
    }
    const tasks = rounds * TASKS;
    const account = await accountFor(
      arena,
      Array.from({ length: tasks }, (_, n) => taskIdOf(n)),
    );
    return [
      atLeast(`late results in ${rounds} rounds`, late, tasks),
      exactly('of these settled the task of another consumer', counted, 0),
      exactly('lost', account.lost.length, 0),
      exactly('counted done', (await arena.ledger()).done ?? 0, tasks),
    ];
  },
};

/** One round: all tasks go to a consumer that freezes, then to another one, and then the first thaws. */
async function freezeAndThaw(arena: Arena, first: number): Promise<{ late: number; counted: number }> {
  const options = { threads: 1, leaseSeconds: LEASE_S, maxConcurrentTasks: TASKS };
  const frozen = await arena.consumer(options);
  const entryIds = await arena.append(
    Array.from({ length: TASKS }, (_, i) => ({ n: first + i, ms: FIRST_RUN_MS, againMs: SECOND_RUN_MS })),
  );
  const runs = () => Array.from({ length: TASKS }, (_, i) => arena.journal.runsOf(taskIdOf(first + i)));
  await arena.until(() => runs().every((one) => one.length === 1), 'the tasks to start');
  frozen.signal('SIGSTOP');
  const other = await arena.consumer(options);
  await arena.until(() => runs().every((one) => one.length === 2), 'the tasks to be taken over');
  frozen.signal('SIGCONT');
  await arena.until(() => runs().every(([one]) => one?.endedAt !== undefined), 'the late results');
  await pause(LATE_MS);

  // A task whose entry is gone while its second run goes on was settled by the first: so first the entries, then the runs.
  const gone = await Promise.all(
    entryIds.map(async (entryId) => (await arena.redis.xrange(arena.stream, entryId, entryId)).length === 0),
  );
  arena.journal.read();
  let late = 0;
  let counted = 0;
  for (const [i, [firstRun, secondRun]] of runs().entries()) {
    if (firstRun === undefined || secondRun === undefined || secondRun.endedAt !== undefined) continue;
    late += 1;
    if (gone[i] === true) counted += 1;
  }
  await arena.settled(10_000);
  for (const consumer of [frozen, other]) {
    consumer.signal('SIGKILL');
    await consumer.exited;
  }
  return { late, counted };
}
