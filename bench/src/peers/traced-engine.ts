import { parseExposition, sampleValue, waitFor } from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import { type EnginePeerOptions, enginePeer } from './engine.js';
import { startNodeProgram } from './node-program.js';
import type { Peer, RunningPeer } from './peer.js';

const RECEIVER = new URL('./apps/telemetry-receiver.js', import.meta.url);
/** Spans of the last second may be on their way when the load ends. */
const EXPORTED_WITHIN_MS = 20_000;

/** The engine with all of its telemetry on, every request traced, sent to a receiver of the bench. */
export function tracedEnginePeer(options: EnginePeerOptions): Peer {
  return {
    name: options.name ?? 'engine, all telemetry on',
    async start() {
      const receiver = await startNodeProgram(RECEIVER);
      try {
        const { origin, port } = new URL(receiver.url);
        const engine = await enginePeer({
          ...options,
          environment: {
            OTEL_EXPORTER_OTLP_ENDPOINT: origin,
            LOKI_ENDPOINT: `${origin}/loki/api/v1/push`,
            STATSD_HOST: '127.0.0.1',
            STATSD_PORT: port,
          },
        }).start();
        return withReceiver(engine, () => receiver.stop());
      } catch (error) {
        await receiver.stop();
        throw error;
      }
    },
  };
}

function withReceiver(engine: RunningPeer, stopReceiver: () => Promise<void>): RunningPeer {
  return {
    ...engine,
    async verify(accepted, unanswered) {
      await engine.verify(accepted, unanswered);
      await verifySpans(engine.opsUrl ?? '', accepted);
    },
    async stop() {
      try {
        await engine.stop();
      } finally {
        await stopReceiver();
      }
    },
  };
}

/** @throws BenchFault when a request has no span that was delivered */
async function verifySpans(opsUrl: string, accepted: number): Promise<void> {
  let exported = 0;
  let dropped = 0;
  await waitFor(
    async () => {
      const page = parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
      exported = sampleValue(page, 'sluice_spans_exported_total') ?? 0;
      dropped = (page.get('sluice_spans_dropped_total')?.samples ?? []).reduce(
        (sum, { value }) => sum + value,
        0,
      );
      return dropped > 0 || exported >= accepted;
    },
    { timeoutMs: EXPORTED_WITHIN_MS, what: 'a span of each request to be delivered' },
  );
  if (dropped > 0) throw new BenchFault(`${dropped} spans were dropped, ${exported} delivered`);
}

/**
 * The 99th percentile of the event-loop delay of the engine processes so far, in ms: the upper bound of its bucket. NaN
 * where it is not told.
 */
export async function eventLoopDelay99(opsUrl: string | undefined): Promise<number> {
  if (opsUrl === undefined) return Number.NaN;
  const page = parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
  const samples = page.get('sluice_event_loop_delay_seconds')?.samples ?? [];
  const buckets = samples.filter(({ name, labels }) => name.endsWith('_bucket') && labels.role === 'engine');
  const count = buckets.at(-1)?.value ?? 0;
  const bucket = buckets.find(({ value }) => value >= count * 0.99);
  return Number(bucket?.labels.le ?? Number.NaN) * 1000;
}
