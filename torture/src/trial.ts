import { Arena } from './arena.js';
import type { Finding, Scenario } from './scenario.js';

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
    findings = await scenario.run(arena);
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
