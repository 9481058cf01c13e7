import type { ConsumerListener } from '@sluice/telemetry';
import { LeaseLost } from '../handlers/errors.js';
import type { LostLease } from '../thread/thread-messages.js';
import type { Entry } from './entry.js';
import type { HeldEntries } from './held-entries.js';
import type { Lanes } from './lanes.js';

/**
 * Acts on leases that are lost. What runs has its signal aborted, and goes on being held until its handler is through,
 * whose result will be fenced off; what waits is forgotten, as its next owner runs it.
 */
export function loseLeases(
  lost: readonly LostLease[],
  held: HeldEntries,
  lanes: Lanes,
  report: ConsumerListener,
): void {
  const wanted = new Set(lost.map(nameOf));
  const affected = new Map<string, string[]>();
  for (const entry of [...held]) {
    const { lane, id, deliveries } = entry;
    if (!wanted.has(nameOf({ lane: lane.index, id, deliveries }))) continue;
    if (!lose(entry, held, lanes)) continue;
    const { stream } = lane.keys;
    affected.set(stream, [...(affected.get(stream) ?? []), id]);
  }
  for (const [stream, entryIds] of affected) report({ type: 'leases-lost', stream, entryIds });
}

/** False when there is nothing to do: it was told before, or its outcome is on its way and will be fenced off. */
function lose(entry: Entry, held: HeldEntries, lanes: Lanes): boolean {
  if (entry.decided || entry.abortReason !== undefined) return false;
  if (lanes.takeOut(entry)) {
    held.free(entry);
    return true;
  }
  entry.abortReason = new LeaseLost();
  entry.controller?.abort(entry.abortReason);
  return true;
}

function nameOf({ lane, id, deliveries }: LostLease): string {
  return `${lane} ${id} ${deliveries}`;
}
