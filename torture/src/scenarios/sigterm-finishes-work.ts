import { setTimeout as pause } from 'node:timers/promises';
import type { RunningProcess } from '@sluice/testbed';
import { accountFor } from '../account.js';
import { taskIdOf } from '../append-tasks.js';
import type { Arena } from '../arena.js';
import { monotonicMs } from '../monotonic.js';
import { exactly, type Scenario, within } from '../scenario.js';

const LIMIT_S = 5;
const TASK_MS = 100;
const TASKS_A_ROUND = 200;

/** The consumer program is told to end, again and again, at random moments of its work. */
export const sigtermFinishesWork: Scenario = {
  name: 'sigterm-finishes-work',
  promise:
    'SIGTERM lets running tasks finish and ends with 0 within the limit; nothing that finished runs again',
  controls: { 'exit-at-once': 'the process ends without finishing or acknowledging' },
  async run(arena) {
    const rounds = arena.size(3, 100);
    let exitedWell = 0;
    let slowest = 0;
    let finishedAtEnd = 0;
    for (let round = 0; round < rounds; round++) {
      await arena.append(
        Array.from({ length: TASKS_A_ROUND }, (_, i) => ({
          n: round * TASKS_A_ROUND + i,
          ms: Math.round(Math.random() * 2 * TASK_MS),
        })),
      );
      // Looked at first: we may be kept from it until all that was appended has started.
      const startsBefore = arena.journal.read().starts;
      const consumer = await start(arena);
      await arena.until(({ starts }) => starts > startsBefore, 'the consumer to work');
      await pause(Math.random() * 2 * TASK_MS);
      const sentAt = monotonicMs();
      consumer.signal('SIGTERM');
      const { code } = await consumer.exited;
      slowest = Math.max(slowest, (monotonicMs() - sentAt) / 1000);
      if (code === 0) exitedWell += 1;
      if (allFinished(arena, consumer.pid)) finishedAtEnd += 1;
      if (round % 20 === 19) arena.progress(`round ${round + 1} of ${rounds}`);
    }
    await start(arena);
    await arena.settled(15_000);
    const tasks = rounds * TASKS_A_ROUND;
    const account = await accountFor(
      arena,
      Array.from({ length: tasks }, (_, n) => taskIdOf(n)),
    );
    return [
      exactly(`exits with 0 in ${rounds} rounds`, exitedWell, rounds),
      exactly('rounds in which all that ran finished', finishedAtEnd, rounds),
      within('slowest exit', slowest, LIMIT_S, 's'),
      exactly(`lost of ${tasks}`, account.lost.length, 0),
      exactly('run again', account.duplicates, 0),
    ];
  },
};

function start(arena: Arena): Promise<RunningProcess> {
  // What is broken is broken in a process of our own; the program itself has no such switch.
  if (arena.broken !== undefined) return arena.consumer({ maxConcurrentTasks: 50, leaseSeconds: 1 });
  return arena.consumerProgram({
    CONSUMER_THREADS: '1',
    MAX_CONCURRENT_TASKS: '50',
    TASK_LEASE: '10', // nothing is to be taken over, of one that stands still neither
    SHUTDOWN_TIMEOUT: String(LIMIT_S),
  });
}

function allFinished(arena: Arena, pid: number): boolean {
  for (const runs of arena.journal.read().runs.values()) {
    if (runs.some((run) => run.pid === pid && run.endedAt === undefined)) return false;
  }
  return true;
}
