import { startProcess } from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import { cpuSecondsOfTree } from '../cpu-time.js';
import type { RunningConsumer } from './consumer-peer.js';
import type { RunReport } from './run-tally.js';

const LOG_CHARACTERS = 1000;

/** Starts a consumer program whose handlers keep a RunTally. */
export function startConsumerProcess(
  name: string,
  program: string,
  environment: Record<string, string>,
  args: string[] = [],
): RunningConsumer {
  const consumer = startProcess(program, environment, args);
  let end: string | undefined;
  void consumer.exited.then(({ code, signal }) => {
    end = signal ?? `exit code ${code}`;
  });
  const log = (): string => consumer.output().slice(-LOG_CHARACTERS);
  return {
    ready: consumer.ready,
    cpuSeconds: () => cpuSecondsOfTree(consumer.pid),
    ended: () => end,
    runs: async () => (await consumer.ask('runs')) as RunReport, // RunTally answers
    log,
    output: () => consumer.output(),
    async stop() {
      if (end === undefined) consumer.signal('SIGTERM');
      const { code, signal } = await consumer.exited;
      if (code !== 0)
        throw new BenchFault(`${name} ended with ${signal ?? `exit code ${code}`}\n${log()}`.trim());
    },
  };
}
