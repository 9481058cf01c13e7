import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '@sluice/testbed';
import { accountFor } from '../account.js';
import type { Arena } from '../arena.js';
import { clocksApart, startConsumersApart } from '../clocks-apart.js';
import { type Answer, IntakeLoad, type Timing } from '../intake-load.js';
import { percentile } from '../percentile.js';
import { atLeast, atMost, exactly, type Finding, type Scenario, within } from '../scenario.js';

const PER_SECOND = 100;
const DELAYS_MS = [200, 500, 1000, 3000];
/** Every so many tasks name a point in time instead. */
const BY_CALENDAR_EVERY = 3;
const MOST_LATE = 0.1;
const MOST_LATE_MS = 100;
/** Between the clock of Redis and the one that only runs on: a rounded millisecond, and what a clock is being slewed by. */
const CLOCKS_DIFFER_MS = 3;

/** Delayed tasks through the engine, on consumers whose clocks are an hour apart. */
export const delaysAreKept: Scenario = {
  name: 'delays-are-kept',
  promise:
    'a delayed task never runs early, at most 10 % and 0.1 s late, and once, whatever the clocks of consumers say',
  controls: {
    'promote-in-steps': 'two consumers may promote the same task',
    'promote-by-own-clock': 'tasks are promoted by the clock of the consumer',
  },
  async run(arena) {
    const tasks = arena.size(300, 6000);
    // What is stored and not confirmed in time would be counted as scheduled, and not as accepted.
    const { url } = await arena.engine({ APPEND_TIMEOUT: '20' });
    await startConsumersApart(arena, { threads: 1 });
    const load = new IntakeLoad(url, PER_SECOND, () => ({}), timingOf);
    arena.afterwards(() => load.stop());
    await waitFor(() => load.accepted.length >= tasks, { timeoutMs: 20 * tasks + 10_000, what: 'tasks' });
    await load.stop();
    await worked(arena);
    return [
      ...punctuality(arena, load.accepted),
      clocksApart(arena),
      ...(await conservation(arena, load.accepted)),
    ];
  },
};

function delayOf(n: number): number {
  return DELAYS_MS[n % DELAYS_MS.length] ?? 0;
}

function timingOf(n: number): Timing {
  if (n % BY_CALENDAR_EVERY > 0) return { delay: delayOf(n) / 1000 };
  return { run_at: new Date(Date.now() + delayOf(n)).toISOString() };
}

/** Waits until nothing is left to be promoted, or it should have been, and all is settled. */
async function worked(arena: Arena): Promise<void> {
  const { due } = arena.keys.schedule(arena.stream);
  const limitMs = Math.max(...DELAYS_MS) + 10_000;
  const empty = async () => (await arena.redis.zcard(due)) === 0;
  await waitFor(empty, { timeoutMs: limitMs, what: 'the schedule to be empty' }).catch(() => {});
  await pause(200); // a broken promoter may be in the middle of it
  await arena.settled(10_000);
}

/** Compares when tasks ran with when they were sent and answered. */
function punctuality(arena: Arena, accepted: readonly Answer[]): Finding[] {
  let early = 0;
  const late: number[] = [];
  for (const { n, taskId, sentAt, tookMs } of accepted) {
    const [first] = arena.journal.read().runsOf(taskId ?? '');
    if (first === undefined) continue; // it is missing among those done
    const asked = delayOf(n);
    if (first.startedAt < sentAt + asked - CLOCKS_DIFFER_MS) early += 1;
    late.push(first.startedAt - (sentAt + tookMs + asked) - MOST_LATE * asked);
  }
  return [
    exactly('early', early, 0),
    within('late beyond 10 %, p99', percentile(late, 0.99), MOST_LATE_MS, 'ms'),
    within('late beyond 10 %, most', percentile(late, 1), MOST_LATE_MS, 'ms'),
  ];
}

async function conservation(arena: Arena, accepted: readonly Answer[]): Promise<Finding[]> {
  const taskIds = accepted.map(({ taskId }) => taskId ?? '');
  const { done, duplicates } = await accountFor(arena, taskIds);
  const { ledger, due, tasks } = arena.keys.schedule(arena.stream);
  const { scheduled = 0, promoted = 0 } = await arena.redis.hgetall(ledger);
  return [
    atLeast('answered 202', accepted.length, arena.size(300, 6000)),
    exactly('done', done, accepted.length),
    exactly('runs beyond the first', duplicates, 0),
    // Not all: a point in time that has passed when the task reaches Redis is no longer waited for.
    atMost('scheduled, by the ledger', Number(scheduled), accepted.length),
    exactly('promoted, by the ledger', Number(promoted), Number(scheduled)),
    exactly('left in the schedule', (await arena.redis.zcard(due)) + (await arena.redis.hlen(tasks)), 0),
    exactly('entries of the stream that the ledger does not account for', await arena.unaccounted(), 0),
  ];
}
