import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  type RedisOptions,
  type RedisServer,
  type RunningProcess,
  startProcess,
  startRedis,
  waitFor,
} from '@sluice/testbed';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENGINE = join(ROOT, 'engine/dist/main.js');
const CONSUMERS = join(ROOT, 'consumers/dist/main.js');

/** Real webhook bodies where they lie beside the project, else the sample bodies of the example. */
export const BODIES = [
  join(ROOT, '../shared/data/github-webhooks'),
  join(ROOT, 'examples/webhooks/sample-bodies'),
].find(existsSync) as string; // the second is in the repository

/** Everything a user runs: Redis, the engine program, consumer programs, with the example's schemas and handlers. */
export interface System {
  readonly redis: RedisServer;
  readonly engine: RunningProcess;
  readonly url: string;
  readonly digestDir: string;
  /** One more consumer program, without a port for operations unless it is given one; resolves when it is ready. */
  addConsumer(script?: string, metricsPort?: number): Promise<RunningProcess>;
  /** Ids of the engine processes that share the port. */
  engineProcesses(): number[];
}

export interface SystemOptions {
  redis?: RedisOptions;
  /** Environment for the programs. */
  env?: Record<string, string>;
}

/** Starts Redis and an engine of two processes; ended, with all consumers, when the test ends. */
export async function startSystem(
  t: TestContext,
  { redis: redisOptions = {}, env = {} }: SystemOptions = {},
): Promise<System> {
  const digestDir = await mkdtemp(join(tmpdir(), 'sluice-digest-'));
  const redis = await startRedis(redisOptions);
  const environment = {
    REDIS_URL: redis.url,
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    WORKER_PROCESSES: '2',
    SHUTDOWN_DELAY: '0',
    APPEND_TIMEOUT: '20', // a Redis that does not run for a second, as on a busy machine, is no fault here
    SCHEMA_MODULE: join(ROOT, 'examples/webhooks/dist/schemas.js'),
    HANDLER_MODULE: join(ROOT, 'examples/webhooks/dist/handlers.js'),
    DIGEST_DIR: digestDir,
    ...env,
  };
  const engine = startProcess(ENGINE, environment);
  const consumers: RunningProcess[] = [];
  t.after(async () => {
    for (const program of [engine, ...consumers]) program.signal('SIGKILL');
    await Promise.all([engine, ...consumers].map((program) => program.exited));
    await redis.stop();
    await rm(digestDir, { recursive: true, force: true });
  });
  const { url, opsUrl } = (await engine.ready) as { url: string; opsUrl: string };
  await waitFor(async () => (await fetch(`${opsUrl}/readyz`)).ok, {
    timeoutMs: 20_000,
    what: 'both engine processes to be ready',
  });
  return {
    redis,
    engine,
    url,
    digestDir,
    async addConsumer(script = CONSUMERS, metricsPort) {
      const port = metricsPort === undefined ? '' : String(metricsPort);
      const consumer = startProcess(script, { ...environment, METRICS_PORT: port });
      consumers.push(consumer);
      await consumer.ready;
      return consumer;
    },
    engineProcesses: () => childrenOf(engine.pid),
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const afterName = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /, '');
        return afterName.split(' ')[1] === String(pid);
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number);
}
