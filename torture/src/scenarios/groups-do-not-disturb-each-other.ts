import { waitFor } from '@sluice/testbed';
import { taskIdOf } from '../append-tasks.js';
import { type Arena, GROUP } from '../arena.js';
import { Journal } from '../journal.js';
import { withJournal } from '../journal-url.js';
import { exactly, type Scenario } from '../scenario.js';

const TALLY = new URL('../handlers/tally.js', import.meta.url);
const OTHERS = 'auditors';
/** Every so many tasks fail once in the first group. */
const FAILS_EVERY = 10;

/** Two groups read one stream: one that is quick and retries, one that is slow; the engine trims. */
export const groupsDoNotDisturbEachOther: Scenario = {
  name: 'groups-do-not-disturb-each-other',
  promise:
    'each group gets every task once: retries of one are unseen by the other, and only what both have acknowledged is removed',
  controls: {
    'delete-when-settled': 'a group deletes what the other has yet to read',
    'retry-by-append': 'a retry is appended as a copy',
  },
  async run(arena) {
    const tasks = arena.size(1000, 50_000);
    // The trimmer runs in the engine's primary.
    const engine = await arena.engine({ STREAM_RETENTION: '1' });
    const others = await startOthers(arena);
    await arena.consumer({ threads: 1, backoffBaseSeconds: 0.2 });
    await arena.append(
      Array.from({ length: tasks }, (_, n) => (n % FAILS_EVERY === 0 ? { n, do: 'throw', until: 1 } : { n })),
    );
    const everyTaskIn = (journal: Journal) => journal.read().ended.size >= tasks;
    // Not an error when it does not come true: then the figures say what is missing.
    await waitFor(() => everyTaskIn(arena.journal) && everyTaskIn(others), {
      timeoutMs: arena.broken === undefined ? 120_000 : 10_000,
      what: 'both groups to be through',
    }).catch(() => {});
    const left = async () => arena.redis.xlen(arena.stream);
    await waitFor(async () => (await left()) === 0, { timeoutMs: 20_000, what: 'the trimmer' }).catch(
      () => {},
    );

    const failing = Math.ceil(tasks / FAILS_EVERY);
    const ids = Array.from({ length: tasks }, (_, n) => taskIdOf(n));
    return [
      exactly(`${GROUP}: done of ${tasks}`, ids.filter((id) => arena.journal.ended.has(id)).length, tasks),
      exactly(`${OTHERS}: done of ${tasks}`, ids.filter((id) => others.ended.has(id)).length, tasks),
      exactly(`${GROUP}: runs beyond the first (retries asked for)`, arena.journal.starts - tasks, failing),
      exactly(`${OTHERS}: runs beyond the first`, others.starts - tasks, 0),
      exactly('left in the stream when both are through', await left(), 0),
      exactly('engine processes that ended', engine.deaths(), 0),
    ];
  },
};

/** The slow group, with a journal of its own. */
async function startOthers(arena: Arena): Promise<Journal> {
  const journal = new Journal(`${arena.journal.path}-${OTHERS}`);
  arena.afterwards(async () => journal.close());
  const handler = withJournal(TALLY, journal.path);
  await arena.consumer({ threads: 1, group: OTHERS, maxConcurrentTasks: 20 }, {}, handler);
  return journal;
}
