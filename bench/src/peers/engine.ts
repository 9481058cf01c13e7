import { fileURLToPath } from 'node:url';
import {
  freePort,
  type RedisServer,
  type RunningProcess,
  startProcess,
  startRedis,
  waitFor,
} from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import { cpuSecondsOfTree } from '../cpu-time.js';
import type { Peer, RunningPeer } from './peer.js';
import { STREAM } from './stream-queue.js';
import { StreamWatch } from './stream-watch.js';

// The program itself, as `make up` starts it. Its package is found by name, its main.ts is no door of it.
const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.resolve('@sluice/engine')));
const READY_WITHIN_MS = 10_000;

export interface EnginePeerOptions {
  ackMode: 'appended' | 'received';
  processes: number;
  /** Redis writes its append-only file, fsync every second; otherwise it keeps nothing. */
  persistent: boolean;
}
const LOG_CHARACTERS = 1000;

/** The engine program with a private Redis of its own, both new in each round. */
export function enginePeer(options: EnginePeerOptions): Peer {
  return {
    name: `engine, ack=${options.ackMode}`,
    async start() {
      const { persistent } = options;
      const redis = await startRedis(persistent ? { persistent, config: { appendfsync: 'everysec' } } : {});
      try {
        return await startEngine(redis, options);
      } catch (error) {
        await redis.stop();
        throw error;
      }
    },
  };
}

async function startEngine(redis: RedisServer, options: EnginePeerOptions): Promise<RunningPeer> {
  const { engine, url } = await startEngineProgram(redis.url, options);
  let stream: StreamWatch | undefined;
  try {
    stream = await StreamWatch.open(redis.url, STREAM);
    return runningEngine(url, engine, redis, stream);
  } catch (error) {
    stream?.close();
    engine.signal('SIGKILL');
    throw error;
  }
}

/** Starts the engine program on a Redis, and waits until it is ready. */
export async function startEngineProgram(
  redisUrl: string,
  { ackMode, processes }: Pick<EnginePeerOptions, 'ackMode' | 'processes'>,
): Promise<{ engine: RunningProcess; url: string }> {
  const engine = startProcess(PROGRAM, {
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
    MAX_IN_FLIGHT_BYTES: String(2 ** 31),
    SHUTDOWN_DELAY: '0',
    SHUTDOWN_TIMEOUT: '5',
  });
  try {
    const { url, opsUrl } = (await engine.ready) as { url: string; opsUrl: string };
    await waitFor(async () => (await fetch(`${opsUrl}/readyz`)).ok, {
      timeoutMs: READY_WITHIN_MS,
      what: 'the engine to be ready',
    });
    return { engine, url: `${url}/tasks` };
  } catch (error) {
    engine.signal('SIGKILL');
    throw error;
  }
}

function runningEngine(
  url: string,
  engine: RunningProcess,
  redis: RedisServer,
  stream: StreamWatch,
): RunningPeer {
  return {
    url,
    redisVersion: stream.redisVersion,
    cpuSeconds() {
      const server = cpuSecondsOfTree(engine.pid);
      const redisSeconds = cpuSecondsOfTree(redis.pid);
      return server === undefined || redisSeconds === undefined ? undefined : { server, redis: redisSeconds };
    },
    verify: (accepted, unanswered) => stream.verify(accepted, unanswered),
    log: () => engine.output().slice(-LOG_CHARACTERS),
    async stop() {
      stream.close();
      try {
        await stopEngineProgram(engine);
      } finally {
        await redis.stop();
      }
    },
  };
}

/** @throws BenchFault when it does not end with 0 */
export async function stopEngineProgram(engine: RunningProcess): Promise<void> {
  engine.signal('SIGTERM');
  const { code, signal } = await engine.exited;
  if (code === 0) return;
  const end = signal ?? `exit code ${code}`;
  throw new BenchFault(`the engine ended with ${end} instead of 0:\n${engine.output()}`);
}
