import { parseExposition, type RunningProcess, sampleValue, startRedis, waitFor } from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import { cpuSecondsOfTree } from '../cpu-time.js';
import type { RunningConsumer } from '../peers/consumer-peer.js';
import { startEngineProgram, stopEngineProgram } from '../peers/engine.js';
import { startSluiceConsumer } from '../peers/sluice-consumer.js';
import type { Stoppable } from '../running.js';
import {
  type CheckingReceiver,
  type Received,
  type SpanProtocol,
  startCheckingReceiver,
} from './span-receiver.js';

const TOLD_WITHIN_MS = 10_000;

/** CPU seconds so far. */
export interface CpuOfParts {
  engine: number;
  consumer: number;
  receiver: number;
  redis: number;
}

/** Redis, the engine, a consumer with handlers that do nothing, and a receiver of all their spans. */
export interface SpanSystem extends Stoppable {
  readonly url: string;
  readonly receiver: Pick<CheckingReceiver, 'counts'>;
  cpuSeconds(): CpuOfParts;
  /** Writes to Redis, once so many tasks have been written: engine processes report twice a second. */
  writes(tasks: number): Promise<number>;
  /** Ends consumer and engine, so that whatever they have is delivered, and tells what came of it. */
  finish(): Promise<{ received: Received; dropped: number }>;
}

export async function startSpanSystem(
  protocol: SpanProtocol,
  { processes, persistent, most }: { processes: number; persistent: boolean; most: number },
): Promise<SpanSystem> {
  const redis = await startRedis(persistent ? { persistent, config: { appendfsync: 'everysec' } } : {});
  let receiver: CheckingReceiver | undefined;
  let engine: RunningProcess | undefined;
  let consumer: RunningConsumer | undefined;
  const stopSenders = async (): Promise<void> => {
    const [running, tasks] = [engine, consumer];
    engine = undefined;
    consumer = undefined;
    try {
      await tasks?.stop();
    } finally {
      if (running !== undefined) await stopEngineProgram(running);
    }
  };
  const stop = async (): Promise<void> => {
    try {
      await stopSenders();
    } finally {
      await receiver?.stop();
      await redis.stop();
    }
  };
  try {
    const spans = await startCheckingReceiver(most);
    receiver = spans;
    const environment = spans.environmentFor(protocol);
    const started = await startEngineProgram(redis.url, { ackMode: 'appended', processes, environment });
    engine = started.engine;
    const tasks = startSluiceConsumer(redis.url, 0, environment);
    consumer = tasks;
    await tasks.ready;
    const { pid } = started.engine;
    return {
      url: started.url,
      receiver: spans,
      cpuSeconds: () => ({
        engine: cpuSecondsOfTree(pid) ?? Number.NaN,
        consumer: tasks.cpuSeconds() ?? Number.NaN,
        receiver: spans.cpuSeconds() ?? Number.NaN,
        redis: cpuSecondsOfTree(redis.pid) ?? Number.NaN,
      }),
      async writes(accepted) {
        let writes = 0;
        const areAllTold = async (): Promise<boolean> => {
          const page = parseExposition(await (await fetch(`${started.opsUrl}/metrics`)).text());
          writes = sampleValue(page, 'sluice_append_batches_total') ?? 0;
          return (sampleValue(page, 'sluice_tasks_appended_total') ?? 0) >= accepted;
        };
        await waitFor(areAllTold, { timeoutMs: TOLD_WITHIN_MS, what: 'the engine to tell of all tasks' });
        return writes;
      },
      async finish() {
        await stopSenders();
        const dropped = droppedIn(started.engine.output()) + droppedIn(tasks.output());
        return { received: await spans.received(), dropped };
      },
      stop,
    };
  } catch (error) {
    await stop().catch(() => {}); // what went wrong first is what matters
    throw error;
  }
}

/** Spans that a program says it has dropped: in its log, since it is asked when it has ended. */
function droppedIn(output: string): number {
  let dropped = 0;
  for (const line of output.split('\n')) {
    if (!line.includes('"spans dropped')) continue;
    const { count } = JSON.parse(line) as { count?: number };
    if (count === undefined) throw new BenchFault(`a log line that cannot be read: ${line}`);
    dropped += count;
  }
  return dropped;
}
