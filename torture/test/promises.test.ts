import { describe } from 'node:test';
import { SCENARIOS } from '#torture/scenarios.js';
import { testPromise } from './fixture.js';

// Most of the time each waits, for leases to run out for instance: two at once are soon through.
describe('every promise, with small numbers', { concurrency: 2 }, () => {
  for (const scenario of SCENARIOS) testPromise(scenario);
});
