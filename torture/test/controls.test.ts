import { SCENARIOS } from '#torture/scenarios.js';
import { testControls } from './fixture.js';

for (const scenario of SCENARIOS) testControls(scenario);
