import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchFault } from '../bench-fault.js';
import { untilEnd } from '../child.js';
import type { OpenLoopOptions, OpenLoopResult } from './open-loop.js';

const PROGRAM = fileURLToPath(new URL('./open-loop-process.js', import.meta.url));
const GRACE_SECONDS = 15;

/** Runs a load at a constant rate in a process of its own, where nothing of the bench holds it up. */
export async function runAtConstantRate(options: OpenLoopOptions): Promise<OpenLoopResult> {
  // 'advanced' carries the arrays of latencies as they are, one figure per request.
  const child = fork(PROGRAM, [JSON.stringify(options)], { silent: true, serialization: 'advanced' });
  let result: OpenLoopResult | undefined;
  child.once('message', (message) => {
    result = message as OpenLoopResult; // all that our program sends
  });
  const { warmUpSeconds, seconds, patienceSeconds } = options;
  await untilEnd(child, 'the open-loop generator', warmUpSeconds + seconds + patienceSeconds + GRACE_SECONDS);
  if (result === undefined) throw new BenchFault('the open-loop generator ended without a report');
  return result;
}
