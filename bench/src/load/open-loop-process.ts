// Runs one load at a constant rate, as the argument asks, and sends an OpenLoopResult over IPC.
import { type OpenLoopOptions, runOpenLoop } from './open-loop.js';

process.on('disconnect', () => process.exit(1)); // nobody is left to tell

const options = JSON.parse(process.argv[2] ?? '') as OpenLoopOptions; // written by constant-rate.ts
process.send?.(await runOpenLoop(options), () => process.exit());
