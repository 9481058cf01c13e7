import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOf } from '#torture/report.js';
import type { Scenario } from '#torture/scenario.js';
import { runTrial } from '#torture/trial.js';

/** The short form of a scenario: all its bars must hold but those that depend on how busy the machine is. */
export function testPromise(scenario: Scenario): void {
  test(scenario.promise, async (t) => {
    const progress = (line: string) => t.diagnostic(line);
    const trial = await runTrial(scenario, { full: false, broken: undefined, progress });
    t.diagnostic(reportOf(trial));
    const missed = trial.findings.filter(({ verdict, timed }) => verdict === 'missed' && timed !== true);
    assert.deepEqual(missed, [], reportOf(trial));
  });
}

/** A broken promise shows when a fault meets a task at the wrong moment: if not in one trial, then in another. */
const TRIALS = 3;

/**
 * Left to `npm run torture -- --controls`: whether a kill meets one of the few tasks answered 202 and not yet written is
 * chance. engine/test/redis-faults.test.ts shows the same with a Redis that is paused first, which is not.
 */
const BY_CHANCE = 'received';

/** Its first negative control: with it, a bar must be missed. `npm run torture -- --controls` goes through all. */
export function testControls(scenario: Scenario): void {
  for (const [broken, what] of Object.entries(scenario.controls).slice(0, 1)) {
    if (broken === BY_CHANCE) continue;
    test(`caught when ${what}: ${scenario.name}`, async (t) => {
      const progress = (line: string) => t.diagnostic(line);
      const unnoticed: string[] = [];
      while (unnoticed.length < TRIALS) {
        const trial = await runTrial(scenario, { full: false, broken, progress });
        if (trial.asWanted) return;
        unnoticed.push(reportOf(trial));
      }
      assert.fail(`nobody noticed in ${TRIALS} trials:\n${unnoticed.join('\n')}`);
    });
  }
}
