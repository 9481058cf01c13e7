import { parseExposition, sampleValue, waitFor } from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import { type EnginePeerOptions, enginePeer } from './engine.js';
import { startNodeProgram } from './node-program.js';
import type { Peer, RunningPeer } from './peer.js';

const RECEIVER = new URL('./apps/telemetry-receiver.js', import.meta.url);
/** Spans of the last second may be on their way when the load ends. */
const EXPORTED_WITHIN_MS = 20_000;
/** An exporter tries again for a while before it gives a message up. */
const DROPPED_WITHIN_MS = 60_000;

/** How those do to whom telemetry is sent: they take it; nobody listens there; they take connections and never answer. */
export type Sinks = 'answering' | 'refusing' | 'hanging';

/** The engine with all of its telemetry on, every request traced, sent to a receiver of the bench. */
export function tracedEnginePeer(options: EnginePeerOptions, sinks: Sinks = 'answering'): Peer {
  return {
    name: options.name ?? 'engine, all telemetry on',
    async start() {
      const receiver = await startNodeProgram(RECEIVER, [sinks]);
      const { origin, port } = new URL(receiver.url);
      try {
        if (sinks === 'refusing') await receiver.stop();
        const engine = await enginePeer({
          ...options,
          environment: {
            OTEL_EXPORTER_OTLP_ENDPOINT: origin,
            LOKI_ENDPOINT: `${origin}/loki/api/v1/push`,
            STATSD_HOST: '127.0.0.1',
            STATSD_PORT: port,
          },
        }).start();
        return withReceiver(engine, sinks, () => receiver.stop());
      } catch (error) {
        await receiver.stop();
        throw error;
      }
    },
  };
}

function withReceiver(engine: RunningPeer, sinks: Sinks, stopReceiver: () => Promise<void>): RunningPeer {
  return {
    ...engine,
    async verify(accepted, unanswered) {
      await engine.verify(accepted, unanswered);
      const { opsUrl = '' } = engine;
      await (sinks === 'answering' ? verifySpans(opsUrl, accepted) : verifyDropped(opsUrl, sinks));
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

interface SpanCounts {
  exported: number;
  dropped: number;
}

async function spanCounts(opsUrl: string): Promise<SpanCounts> {
  const page = parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
  const samples = page.get('sluice_spans_dropped_total')?.samples ?? [];
  return {
    exported: sampleValue(page, 'sluice_spans_exported_total') ?? 0,
    dropped: samples.reduce((sum, { value }) => sum + value, 0),
  };
}

/** @throws BenchFault when a request has no span that was delivered */
async function verifySpans(opsUrl: string, accepted: number): Promise<void> {
  let counts: SpanCounts = { exported: 0, dropped: 0 };
  await waitFor(
    async () => {
      counts = await spanCounts(opsUrl);
      return counts.dropped > 0 || counts.exported >= accepted;
    },
    { timeoutMs: EXPORTED_WITHIN_MS, what: 'a span of each request to be delivered' },
  );
  const { dropped, exported } = counts;
  if (dropped > 0) throw new BenchFault(`${dropped} spans were dropped, ${exported} delivered`);
}

/** @throws BenchFault when spans that nobody took are not counted as dropped, or counted as delivered */
async function verifyDropped(opsUrl: string, sinks: Sinks): Promise<void> {
  let counts: SpanCounts = { exported: 0, dropped: 0 };
  await waitFor(
    async () => {
      counts = await spanCounts(opsUrl);
      return counts.dropped > 0;
    },
    { timeoutMs: DROPPED_WITHIN_MS, what: `spans for ${sinks} collectors to be counted as dropped` },
  );
  if (counts.exported > 0)
    throw new BenchFault(`${counts.exported} spans were delivered to ${sinks} collectors`);
}
