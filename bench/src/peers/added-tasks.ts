import { BenchFault } from '../bench-fault.js';
import { faultOfLedger } from '../ledger.js';

const LATE_BY_MS = 3000;
/** Nothing is on its way any more when nothing was added for so long. */
const QUIET_MS = 100;

/**
 * Holds what was ever added to a queue against what was accepted.
 *
 * @param tasksAdded asks the queue
 * @throws BenchFault when what was added is not what was accepted
 */
export async function verifyAdded(
  tasksAdded: () => Promise<number>,
  accepted: number,
  unanswered: number,
): Promise<void> {
  const entriesAdded = await settled(tasksAdded, accepted);
  const fault = faultOfLedger({ accepted, unanswered, entriesAdded });
  if (fault !== undefined) throw new BenchFault(fault);
}

/** What was ever added, once nothing more is on its way; with ACK_MODE=received the appends come after the 202. */
async function settled(tasksAdded: () => Promise<number>, expected: number): Promise<number> {
  const deadline = performance.now() + LATE_BY_MS;
  let added = -1;
  for (;;) {
    const now = await tasksAdded();
    if (now === added && (added >= expected || performance.now() > deadline)) return added;
    added = now;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}
