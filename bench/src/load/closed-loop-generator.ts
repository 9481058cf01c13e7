import { BenchFault } from '../bench-fault.js';
import { autocannon } from './autocannon.js';
import type { ClosedLoopGenerator } from './closed-loop.js';
import { findWrk } from './wrk.js';

/**
 * wrk where it is installed; else autocannon, which comes with the bench but can do less than the servers it drives.
 *
 * @throws BenchFault when wrk is asked for and not installed
 */
export async function closedLoopGenerator(
  choice: 'auto' | 'wrk' | 'autocannon',
): Promise<ClosedLoopGenerator> {
  if (choice === 'autocannon') return autocannon();
  const wrk = await findWrk();
  if (wrk === undefined && choice === 'wrk')
    throw new BenchFault('wrk is not installed; allowed: auto, autocannon');
  return wrk ?? autocannon();
}
