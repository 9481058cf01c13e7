import { setTimeout as pause } from 'node:timers/promises';
import type { Arena } from '../arena.js';
import { clocksApart, startConsumersApart } from '../clocks-apart.js';
import { percentile } from '../percentile.js';
import { exactly, type Finding, type Scenario, within } from '../scenario.js';
import type { Work } from '../work.js';

const BASE_S = 1;
const JITTER = 0.2;
const MOST_LATE = 0.1;
/** A steady flow: with all of them due in one moment, one would measure how long the work takes, not when it begins. */
const CHUNK = 10;
const CHUNK_MS = 100;
const RETRY_AFTER_MS = [1000, 1500, 3000];

/**
 * Every attempt but the last fails, with the back-off or with a time that the handler asks for, on consumers whose
 * clocks are an hour apart.
 */
export const retriesAreOnTime: Scenario = {
  name: 'retries-are-on-time',
  promise:
    'a retry never comes early, and at most 10 % and the jitter late, whatever the clocks of consumers say',
  controls: { 'no-backoff': 'failed tasks are tried again at once' },
  async run(arena) {
    const tasks = arena.size(60, 3000);
    const options = { threads: 1, backoffBaseSeconds: BASE_S, backoffJitter: JITTER };
    await startConsumersApart(arena, options);
    for (let n = 0; n < tasks; n += CHUNK) {
      await arena.append(Array.from({ length: CHUNK }, (_, i) => taskNumber(n + i)));
      await pause(CHUNK_MS);
    }
    await arena.settled(10_000);
    return [...punctuality(arena, tasks), clocksApart(arena)];
  },
};

function taskNumber(n: number): Work {
  const ms = RETRY_AFTER_MS[n % (2 * RETRY_AFTER_MS.length)];
  return ms === undefined ? { n, do: 'throw', until: 2 } : { n, do: 'retry-after', ms, until: 1 };
}

/** Compares the times between runs with what was asked for. */
function punctuality(arena: Arena, tasks: number): Finding[] {
  let early = 0;
  let retries = 0;
  const late: number[] = [];
  for (const runs of arena.journal.read().runs.values()) {
    for (const [i, run] of runs.entries()) {
      const previous = runs[i - 1];
      if (previous === undefined) continue;
      retries += 1;
      const asked = taskNumber(run.n).ms ?? BASE_S * 1000 * 2 ** (i - 1);
      const jitter = taskNumber(run.n).ms === undefined ? JITTER : 0;
      const waited = run.startedAt - previous.startedAt;
      if (waited < asked) early += 1;
      late.push((waited / asked - 1 - jitter) * 100);
    }
  }
  return [
    exactly('tasks done', arena.journal.ended.size, tasks),
    exactly('retries', retries, tasks * 1.5),
    exactly('early', early, 0),
    within('late beyond the jitter, p99', percentile(late, 0.99), MOST_LATE * 100, '%'),
    within('late beyond the jitter, most', percentile(late, 1), MOST_LATE * 100, '%'),
  ];
}
