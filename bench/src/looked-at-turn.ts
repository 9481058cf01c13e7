import { parseExposition, sampleValue } from '@sluice/testbed';
import { type ClosedLoopBench, type ClosedLoopTurn, takeClosedLoopTurn } from './closed-loop-turn.js';
import type { Peer } from './peers/peer.js';

const BYTES_OF_MIB = 1024 * 1024;

/** A turn at whose end the metrics of the engine are looked at; NaN for a peer that has none. */
export interface LookedAtTurn extends ClosedLoopTurn {
  /** The 99th percentile of the event-loop delay of engine processes so far, in ms: the upper bound of its bucket. */
  loopDelay99: number;
  /** All that engine processes hold, in MiB. */
  residentMib: number;
}

type Look = Pick<LookedAtTurn, 'loopDelay99' | 'residentMib'>;

/** @throws BenchFault when a task is refused, or accepted and not stored */
export async function takeLookedAtTurn(
  bench: ClosedLoopBench,
  peer: Peer,
  round: number,
  connections: number,
): Promise<LookedAtTurn> {
  let look: Look = { loopDelay99: Number.NaN, residentMib: Number.NaN };
  const looked: Peer = {
    ...peer,
    async start() {
      const server = await peer.start();
      return {
        ...server,
        async verify(accepted, unanswered) {
          if (server.opsUrl !== undefined) look = await lookAt(server.opsUrl);
          await server.verify(accepted, unanswered);
        },
      };
    },
  };
  const turn = await takeClosedLoopTurn(bench, looked, round, { connections });
  return { ...turn, ...look };
}

async function lookAt(opsUrl: string): Promise<Look> {
  const page = parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
  const samples = page.get('sluice_event_loop_delay_seconds')?.samples ?? [];
  const buckets = samples.filter(({ name, labels }) => name.endsWith('_bucket') && labels.role === 'engine');
  const count = buckets.at(-1)?.value ?? 0;
  const bucket = buckets.find(({ value }) => value >= count * 0.99);
  const bytes = sampleValue(page, 'sluice_resident_memory_bytes', { role: 'engine' }) ?? Number.NaN;
  return { loopDelay99: Number(bucket?.labels.le ?? Number.NaN) * 1000, residentMib: bytes / BYTES_OF_MIB };
}
