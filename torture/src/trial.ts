import { setTimeout as pause } from 'node:timers/promises';
import { Arena } from './arena.js';
import type { Finding, Scenario } from './scenario.js';

/** Ten times what the longest takes on a quiet machine. */
const SHORT_LIMIT_MS = 300_000;
const FULL_LIMIT_MS = 900_000;

/** How a scenario is to be run. */
export interface TrialPlan {
  /** The numbers of the specification; else small ones that take seconds. */
  full: boolean;
  /** The promise to break on purpose. */
  broken: string | undefined;
  /** Told what goes on, a line at a time. */
  progress: (line: string) => void;
  /** Given what ends all that runs, for when the program is interrupted. */
  opened?: (close: () => Promise<void>) => void;
}

/** A scenario that was run. */
export interface Trial {
  scenario: string;
  promise: string;
  broken: string | undefined;
  full: boolean;
  seconds: number;
  findings: readonly Finding[];
  /** All bars held; with a promise broken: at least one was missed. */
  asWanted: boolean;
}

/** Runs a scenario on a queue of its own. */
export async function runTrial(scenario: Scenario, plan: TrialPlan): Promise<Trial> {
  const { full, broken, progress } = plan;
  const startedAt = performance.now();
  const { redis } = scenario;
  const arena = await Arena.open({ full, broken, progress, ...(redis === undefined ? {} : { redis }) });
  plan.opened?.(() => arena.close());
  let findings: Finding[];
  try {
    const running = scenario.run(arena);
    running.catch(() => {}); // it goes on failing after the limit, when everything is taken away from it
    findings = await Promise.race([running, overdue(full ? FULL_LIMIT_MS : SHORT_LIMIT_MS)]);
  } finally {
    await arena.close();
  }
  const missed = findings.some(({ verdict }) => verdict === 'missed');
  const { name, promise } = scenario;
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  return {
    scenario: name,
    promise,
    broken,
    full,
    seconds,
    findings,
    asWanted: missed === (broken !== undefined),
  };
}

/** Rejects after a time that no scenario needs, so that one whose Redis was taken away does not wait for ever. */
async function overdue(ms: number): Promise<never> {
  await pause(ms, undefined, { ref: false });
  throw new Error(`was not through after ${ms / 60_000} minutes`);
}
