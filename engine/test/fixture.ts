import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, type TestContext } from 'node:test';
import { createEngine, type Engine, type EngineOptions } from '@sluice/engine';
import type { EngineEvent } from '@sluice/telemetry';
import {
  freePort,
  type RedisServer,
  type RunningProcess,
  startProcess,
  startRedis,
  waitFor,
} from '@sluice/testbed';
import { Redis } from 'ioredis';

/** A Redis for all tests of a file. */
export function redisForFile(): { readonly server: RedisServer; readonly client: Redis } {
  let server: RedisServer;
  let client: Redis;
  before(async () => {
    server = await startRedis();
    client = new Redis(server.url, { protocol: 2 });
    client.on('error', () => {}); // tests take the server away on purpose
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });
  return {
    get server() {
      return server;
    },
    get client() {
      return client;
    },
  };
}

/**
 * How long Redis may take to confirm, where that is not what is tested: on a busy machine it may not run for longer than the
 * second of the default, which is a 503 then.
 */
const PATIENT_SECONDS = 20;

export interface RunningEngine {
  engine: Engine;
  url: string;
  port: number;
  stream: string;
  events: EngineEvent[];
}

/** An engine on a free port with streams of its own, stopped when the test ends. */
export async function runEngine(
  t: TestContext,
  redisUrl: string,
  options: EngineOptions = {},
): Promise<RunningEngine> {
  const events: EngineEvent[] = [];
  const stream = `test-${randomUUID()}:stream`;
  const engine = createEngine({
    redisUrl,
    streamName: stream,
    host: '127.0.0.1',
    port: 0,
    shutdownDelaySeconds: 0,
    appendTimeoutSeconds: PATIENT_SECONDS,
    listener: (event) => events.push(event),
    ...options,
  });
  const { url, port } = await engine.start();
  t.after(() => engine.stop());
  await waitFor(() => engine.ready, { timeoutMs: 20_000, what: 'the engine to be ready' });
  return { engine, url, port, stream: options.streamName ?? stream, events };
}

export const ENGINE_PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname;

export type RunningProgram = RunningProcess & { url: string; opsUrl: string; stream: string };

/** The engine program with two processes, on free ports and with streams of its own, killed when the test ends. */
export async function runProgram(
  t: TestContext,
  redisUrl: string,
  env: Record<string, string> = {},
): Promise<RunningProgram> {
  const stream = `test-${randomUUID()}:stream`;
  const program = startProcess(ENGINE_PROGRAM, {
    REDIS_URL: redisUrl,
    REDIS_STREAM_NAME: stream,
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    WORKER_PROCESSES: '2',
    SHUTDOWN_DELAY: '0',
    APPEND_TIMEOUT: String(PATIENT_SECONDS),
    ...env,
  });
  t.after(() => program.signal('SIGKILL'));
  const ready = (await program.ready) as { url: string; opsUrl: string };
  await waitFor(async () => (await fetch(`${ready.opsUrl}/readyz`)).ok, {
    timeoutMs: 20_000,
    what: 'every process to be ready',
  });
  return Object.assign(program, ready, { stream });
}

/** The engine processes of a program: its children. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return (
          readFileSync(`/proc/${name}/stat`, 'utf8')
            .replace(/^.*\) /, '')
            .split(' ')[1] === String(pid)
        );
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number);
}

/** What a service of ours answered. */
export interface Reply {
  status: number;
  headers: Headers;
  body: {
    task_id?: string;
    ack?: string;
    run_at?: string;
    error?: { code: string; message: string; details?: { path: string; reason: string }[] };
  };
}

export async function post(
  url: string,
  body: string | Buffer,
  contentType = 'application/json',
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'Content-Type': contentType, ...headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Reply['body'],
  };
}

/** The fields of every entry of a stream. */
export async function entriesOf(client: Redis, stream: string): Promise<Record<string, string>[]> {
  const entries = await client.xrange(stream, '-', '+');
  return entries.map(([, fields]) => {
    const record: Record<string, string> = {};
    for (let i = 0; i < fields.length; i += 2) record[fields[i] as string] = fields[i + 1] as string;
    return record;
  });
}

/**
 * Sends bytes over a connection of their own, in the pieces given, and resolves with all that came back once the
 * other side has closed it or `until` is seen in it.
 */
export function exchange(
  port: number,
  pieces: readonly (string | Buffer)[],
  until?: RegExp,
): Promise<{ text: string; closed: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const done = (closed: boolean): void => {
      socket.destroy();
      resolve({ text, closed });
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (until?.test(text)) done(false);
    });
    socket.on('end', () => done(true));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The other side may close while we still send: what it said before counts.
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') done(true);
      else reject(error);
    });
    socket.setNoDelay(true);
    socket.on('connect', async () => {
      for (const piece of pieces) {
        await new Promise<void>((sent) => socket.write(piece, () => setImmediate(sent)));
      }
    });
    socket.setTimeout(15_000, () =>
      reject(new Error(`no answer within 15 s; so far: ${JSON.stringify(text)}`)),
    );
  });
}
