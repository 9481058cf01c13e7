import { type RedisLink, refusalOf } from '../redis/redis-link.js';
import type { OutcomeWriter } from '../settling/outcome-writer.js';
import type { Lane } from './entry.js';
import type { HeldEntries } from './held-entries.js';

/** More than a thread can have asked for at once. */
const MOST_ORPHANS = 5000;

/** Bound of one script call. */
const CHUNK = 500;

/**
 * Gives back entries that are pending for this consumer and that this thread knows nothing of: Redis had handed
 * them out, and the reply was lost with its connection. Must not run while entries are being read or taken.
 */
export async function releaseOrphans(
  link: RedisLink,
  group: string,
  consumer: string,
  lanes: readonly Lane[],
  held: HeldEntries,
  writer: OutcomeWriter,
): Promise<void> {
  await Promise.all(
    lanes.map(async (lane) => {
      const pending = await pendingFor(link, group, consumer, lane);
      if (pending.length === 0) return;
      const known = new Set<string>();
      for (const entry of held) if (entry.lane === lane) known.add(entry.id);
      const orphans = pending
        .filter((id) => !known.has(id))
        .map((id) => ({ id, reason: 'unstarted' as const }));
      for (let i = 0; i < orphans.length; i += CHUNK) {
        await writer.release(link.redis, lane.keys, orphans.slice(i, i + CHUNK));
      }
    }),
  );
}

async function pendingFor(link: RedisLink, group: string, consumer: string, lane: Lane): Promise<string[]> {
  try {
    const pending = await link.redis.xpending(lane.keys.stream, group, '-', '+', MOST_ORPHANS, consumer);
    return (pending as [id: string][]).map(([id]) => id); // id, consumer, idle time, deliveries
  } catch (error) {
    // No group, or no stream: nothing is pending there, and the reader sees to it.
    if (refusalOf(error) !== undefined) return [];
    throw error;
  }
}
