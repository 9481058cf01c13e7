import { fileURLToPath } from 'node:url';
import { startProcess } from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import { cpuSecondsOfTree } from '../cpu-time.js';
import type { Stoppable } from '../running.js';
import type { SpanCounts, SpanReport } from './span-account.js';

const PROGRAM = fileURLToPath(new URL('./receiver-program.js', import.meta.url));

/** The protocols that spans are sent by. */
export const PROTOCOLS = ['otlp', 'jaeger'] as const;
export type SpanProtocol = (typeof PROTOCOLS)[number];

/** What a receiver tells. */
export interface Received extends SpanReport {
  messages: number;
  bytes: number;
  /** Messages that could not be read. */
  unreadable: readonly string[];
}

export interface CheckingReceiver extends Stoppable {
  /** Names it for whoever sends spans by this protocol, in their environment. */
  environmentFor(protocol: SpanProtocol): Record<string, string>;
  cpuSeconds(): number | undefined;
  /** How many came so far. */
  counts(): Promise<SpanCounts>;
  /**
   * Goes through all of them.
   *
   * @throws BenchFault when it could not read something
   */
  received(): Promise<Received>;
}

/** Starts a receiver that keeps account of all spans it is sent; `most`: requests that are to be expected at most. */
export async function startCheckingReceiver(most: number): Promise<CheckingReceiver> {
  const receiver = startProcess(PROGRAM, {}, [String(most)]);
  const { url } = (await receiver.ready) as { url: string };
  const { origin } = new URL(url);
  return {
    environmentFor: (protocol) =>
      protocol === 'otlp'
        ? { OTEL_EXPORTER_OTLP_ENDPOINT: origin }
        : { JAEGER_ENDPOINT: `${origin}/api/traces` },
    cpuSeconds: () => cpuSecondsOfTree(receiver.pid),
    counts: async () => (await receiver.ask('counts')) as SpanCounts, // what receiver-program.ts sends
    async received() {
      const report = (await receiver.ask('spans')) as Received; // likewise
      if (report.unreadable.length > 0) {
        throw new BenchFault(`the receiver could not read spans: ${report.unreadable.join('; ')}`);
      }
      return report;
    },
    async stop() {
      receiver.signal('SIGKILL');
      await receiver.exited;
    },
  };
}
