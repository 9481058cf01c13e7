import { fileURLToPath } from 'node:url';
import { freePort, type RunningProcess, startProcess, waitFor } from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import type { Peer } from './peer.js';
import { peerWithRedis } from './peer-with-redis.js';
import { STREAM } from './stream-queue.js';
import { StreamWatch } from './stream-watch.js';

// The program itself, as `make up` starts it. Its package is found by name, its main.ts is no door of it.
const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.resolve('@sluice/engine')));
const READY_WITHIN_MS = 10_000;

export interface EnginePeerOptions {
  /** As it stands in tables. @default `engine, ack=…` */
  name?: string;
  ackMode: 'appended' | 'received';
  processes: number;
  /** Redis writes its append-only file, fsync every second; otherwise it keeps nothing. */
  persistent: boolean;
  /** Redis has a replica. @default false */
  replica?: boolean;
  /** Entries that the stream is cut back to. */
  keptEntries?: number;
  /** More of its environment. */
  environment?: Readonly<Record<string, string>>;
  /** Arguments of Node for all its processes. */
  nodeArguments?: readonly string[];
}

/** The engine program with a private Redis of its own, both new in each round. */
export function enginePeer(options: EnginePeerOptions): Peer {
  const { name = `engine, ack=${options.ackMode}`, persistent, replica = false, keptEntries } = options;
  return peerWithRedis({
    name,
    persistent,
    replica,
    async startProgram(redisUrl) {
      const { engine, url, opsUrl } = await startEngineProgram(redisUrl, options);
      const { pid } = engine;
      return { url, opsUrl, pid, output: () => engine.output(), stop: () => stopEngineProgram(engine) };
    },
    openStore: (redisUrl) => StreamWatch.open(redisUrl, STREAM, keptEntries),
  });
}

/** Starts the engine program on a Redis, and waits until it is ready. */
export async function startEngineProgram(
  redisUrl: string,
  {
    ackMode,
    processes,
    environment: more = {},
    nodeArguments,
  }: Pick<EnginePeerOptions, 'ackMode' | 'processes' | 'environment' | 'nodeArguments'>,
): Promise<{ engine: RunningProcess; url: string; opsUrl: string }> {
  const environment = {
    REDIS_URL: redisUrl,
    REDIS_STREAM_NAME: STREAM,
    ACK_MODE: ackMode,
    WORKER_PROCESSES: String(processes),
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    // Nothing works the tasks off, and shedding is another question than the one a scenario asks.
    STREAM_MAXLEN: String(Number.MAX_SAFE_INTEGER),
    // Where 202 does not wait for Redis, a closed loop outruns it, and what has been answered queues up here.
    MAX_IN_FLIGHT_REQUESTS: '10000000',
    MAX_IN_FLIGHT_BATCH_TASKS: '10000000',
    MAX_IN_FLIGHT_BYTES: String(2 ** 31),
    SHUTDOWN_DELAY: '0',
    SHUTDOWN_TIMEOUT: '5',
    ...more,
  };
  const engine = startProcess(PROGRAM, environment, [], nodeArguments);
  try {
    const { url, opsUrl } = (await engine.ready) as { url: string; opsUrl: string };
    await waitFor(async () => (await fetch(`${opsUrl}/readyz`)).ok, {
      timeoutMs: READY_WITHIN_MS,
      what: 'the engine to be ready',
    });
    return { engine, url: `${url}/tasks`, opsUrl };
  } catch (error) {
    engine.signal('SIGKILL');
    throw error;
  }
}

/** @throws BenchFault when it does not end with 0 */
export async function stopEngineProgram(engine: RunningProcess): Promise<void> {
  engine.signal('SIGTERM');
  const { code, signal } = await engine.exited;
  if (code === 0) return;
  const end = signal ?? `exit code ${code}`;
  throw new BenchFault(`the engine ended with ${end} instead of 0:\n${engine.output()}`);
}
