import type { ConsumerOptions } from '@sluice/consumers';
import type { Arena } from './arena.js';
import { fakeTimeLibrary, withClockAhead } from './fake-time.js';
import { atLeast, type Finding, skipped } from './scenario.js';

const AHEAD_S = 3600;

/** Starts two consumers whose clocks are an hour apart, where that can be faked. */
export async function startConsumersApart(arena: Arena, options: Partial<ConsumerOptions>): Promise<void> {
  const library = fakeTimeLibrary();
  await arena.consumer(options);
  await arena.consumer(options, library === undefined ? {} : withClockAhead(library, AHEAD_S));
}

/** How far the clocks were apart, as the runs themselves saw it. */
export function clocksApart(arena: Arena): Finding {
  const what = 'clocks of the two consumers apart';
  if (fakeTimeLibrary() === undefined) {
    return skipped(what, 'libfaketime is not installed (Debian: apt-get install faketime)');
  }
  const offsets = [...arena.journal.runs.values()].flat().map((run) => run.wallClock - run.startedAt);
  return atLeast(what, Math.round((Math.max(...offsets) - Math.min(...offsets)) / 1000), AHEAD_S - 1, 's');
}
