// Runs one load at a constant rate, as the argument asks, and sends an OpenLoopResult over IPC.
import { constants, setPriority } from 'node:os';
import { type OpenLoopOptions, runOpenLoop } from './open-loop.js';

process.on('disconnect', () => process.exit(1)); // nobody is left to tell

const options = JSON.parse(process.argv[2] ?? '') as OpenLoopOptions; // written by constant-rate.ts

// Linux lets whoever never sleeps finish its slice of 4 ms before a server that wakes on the same core may run. Last
// in line, it gives way: p99 of the bare server at 46,000/s was 2.2 ms instead of 4.7 (medians of ten loads of a second
// each, two busy cores). Who naps or sleeps is let in at once anyway, and must be.
if (options.between === 'looks') setPriority(constants.priority.PRIORITY_LOW);

process.send?.(await runOpenLoop(options), () => process.exit());
