import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchFault } from '../bench-fault.js';
import { untilEnd } from '../child.js';
import { forkOn } from '../generator-core.js';
import type { BullmqLoadOptions } from './bullmq-load-program.js';
import type { LoadTimes, OpenLoopOptions, OpenLoopResult } from './open-loop.js';

const PROGRAM = fileURLToPath(new URL('./open-loop-process.js', import.meta.url));
const BULLMQ_PROGRAM = fileURLToPath(new URL('./bullmq-load-program.js', import.meta.url));
const GRACE_SECONDS = 15;

/**
 * Runs a load at a constant rate in a process of its own, where nothing of the bench holds it up; on this core alone,
 * if one is named.
 */
export async function runAtConstantRate(options: OpenLoopOptions, core?: number): Promise<OpenLoopResult> {
  const { warmUpSeconds, seconds, patienceSeconds } = options;
  const result = await resultOf(PROGRAM, options, warmUpSeconds + seconds + patienceSeconds, core);
  return result as OpenLoopResult; // all that open-loop-process.ts sends
}

/** The same by BullMQ's `Queue.add` instead of HTTP. */
export async function addAtConstantRate(options: BullmqLoadOptions, core?: number): Promise<LoadTimes> {
  const result = await resultOf(BULLMQ_PROGRAM, options, options.warmUpSeconds + options.seconds, core);
  return result as LoadTimes; // all that bullmq-load-program.ts sends
}

async function resultOf(program: string, options: object, seconds: number, core?: number): Promise<unknown> {
  // 'advanced' carries the arrays of latencies as they are, one figure per request.
  const child = fork(program, [JSON.stringify(options)], {
    silent: true,
    serialization: 'advanced',
    ...forkOn(core),
  });
  let result: unknown;
  child.once('message', (message) => {
    result = message;
  });
  await untilEnd(child, 'the open-loop generator', seconds + GRACE_SECONDS);
  if (result === undefined) throw new BenchFault('the open-loop generator ended without a report');
  return result;
}
