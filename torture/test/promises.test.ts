import { SCENARIOS } from '#torture/scenarios.js';
import { testPromise } from './fixture.js';

for (const scenario of SCENARIOS) testPromise(scenario);
