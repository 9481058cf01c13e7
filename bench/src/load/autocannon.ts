import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchFault } from '../bench-fault.js';
import { untilEnd } from '../child.js';
import { versionOfPackage } from '../package-version.js';
import type { ClosedLoopGenerator, ClosedLoopResult } from './closed-loop.js';

const PROGRAM = fileURLToPath(new URL('./autocannon-process.js', import.meta.url));
const GRACE_SECONDS = 15;

/** autocannon as a generator, in a process of its own. */
export function autocannon(): ClosedLoopGenerator {
  return {
    name: `autocannon ${versionOfPackage('autocannon')}`,
    async run(options) {
      const child = fork(PROGRAM, [JSON.stringify(options)], { silent: true });
      let result: ClosedLoopResult | undefined;
      child.once('message', (message) => {
        result = message as ClosedLoopResult; // all that our program sends
      });
      await untilEnd(child, 'autocannon', options.seconds + GRACE_SECONDS);
      if (result === undefined) throw new BenchFault('autocannon ended without a report');
      return result;
    },
  };
}
