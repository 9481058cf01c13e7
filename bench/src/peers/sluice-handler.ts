import { defineHandler } from '@sluice/consumers';
import { RunTally } from './run-tally.js';

const tally = RunTally.ofProcess();

export default defineHandler('default', async ({ data }) => tally.run(data));
