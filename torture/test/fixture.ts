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

/** Its negative controls: with each, a bar must be missed. */
export function testControls(scenario: Scenario): void {
  for (const [broken, what] of Object.entries(scenario.controls)) {
    test(`caught when ${what}: ${scenario.name}`, async (t) => {
      const progress = (line: string) => t.diagnostic(line);
      const trial = await runTrial(scenario, { full: false, broken, progress });
      assert.ok(trial.asWanted, `nobody noticed:\n${reportOf(trial)}`);
    });
  }
}
