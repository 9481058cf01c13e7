import { describe } from 'node:test';
import { SCENARIOS } from '#torture/scenarios.js';
import { testControls } from './fixture.js';

// Most of the time each waits, for leases to run out for instance: two at once are soon through.
describe('every promise broken on purpose', { concurrency: 2 }, () => {
  for (const scenario of SCENARIOS) testControls(scenario);
});
