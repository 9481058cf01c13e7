import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createEngine } from '@sluice/engine';
import { freePort, parseExposition, sampleValue, startProcess, waitFor } from '@sluice/testbed';
import { childrenOf, ENGINE_PROGRAM, post, redisForFile } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';
const UNKNOWN = '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d';
const WITHIN = { timeoutMs: 20_000 };

/** A way to Redis on which the connections of who asks for the status of tasks can be held up: connected, unanswered. */
interface Gate {
  readonly url: string;
  /** How many connections of theirs were held up so far. */
  readonly held: number;
  open(): void;
  /** Lets in the next that comes; those that are held up come again after a while. */
  letOneIn(): void;
  /** Breaks those connections, and holds up the next. */
  shut(): void;
}

async function startGate(t: TestContext): Promise<Gate> {
  const sockets = new Set<Socket>();
  const asking = new Map<Socket, () => void>();
  let isOpen = false;
  let held = 0;
  let welcome = 0;
  const server = createServer((client) => {
    const target = connect(redis.server.port, '127.0.0.1');
    const ends = [client, target] as const;
    for (const socket of ends) {
      sockets.add(socket);
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => {
        sockets.delete(socket);
        asking.delete(client);
        for (const end of ends) end.destroy();
      });
    }
    target.pipe(client);
    // The first that a connection says is its name.
    client.once('data', (greeting) => {
      let isIn = false;
      const letIn = (): void => {
        if (isIn) return;
        isIn = true;
        target.write(greeting);
        client.pipe(target);
      };
      if (!greeting.includes('sluice-engine-status')) {
        letIn();
        return;
      }
      asking.set(client, letIn);
      if (isOpen || welcome > 0) {
        welcome = 0;
        letIn();
      } else held++;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as { port: number }; // listens on TCP
  return {
    url: `redis://127.0.0.1:${port}`,
    get held() {
      return held;
    },
    open: () => {
      isOpen = true;
      for (const letIn of asking.values()) letIn();
    },
    letOneIn: () => {
      welcome = 1;
    },
    shut: () => {
      isOpen = false;
      for (const client of asking.keys()) client.destroy();
    },
  };
}

test('an engine is ready once it can also say what became of tasks; later only taking them in counts', async (t) => {
  const gate = await startGate(t);
  const engine = createEngine({
    redisUrl: gate.url,
    streamName: 'readiness',
    host: '127.0.0.1',
    port: 0,
    trackTasks: true,
    shutdownDelaySeconds: 0,
  });
  const { url } = await engine.start();
  t.after(() => engine.stop());
  const statusOf = async (id: string): Promise<number> => (await fetch(`${url}/tasks/${id}`)).status;
  const taken = async (): Promise<boolean> => (await post(`${url}/tasks`, BODY)).status === 202;
  await waitFor(taken, { ...WITHIN, what: 'the connection that tasks are appended over' });
  await waitFor(() => gate.held > 0, { ...WITHIN, what: 'the other one to be held up' });
  assert.equal(engine.ready, false);
  assert.equal((await fetch(`${url}/readyz`)).status, 503);
  gate.open();
  await waitFor(() => engine.ready, { ...WITHIN, what: 'readiness' });
  assert.equal(await statusOf(UNKNOWN), 404);
  const before = gate.held;
  gate.shut();
  await waitFor(() => gate.held > before, { ...WITHIN, what: 'it to come again, and be held up' });
  assert.equal(await statusOf(UNKNOWN), 503);
  assert.equal(engine.ready, true);
  await waitFor(taken, { ...WITHIN, what: 'a task to be taken in' });
});

test('the program is ready once every process is; later as long as one is', async (t) => {
  const gate = await startGate(t);
  const program = startProcess(ENGINE_PROGRAM, {
    REDIS_URL: gate.url,
    REDIS_STREAM_NAME: 'readiness-of-program',
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    WORKER_PROCESSES: '2',
    TRACK_TASKS: 'true',
  });
  t.after(() => program.signal('SIGKILL'));
  const { url, opsUrl } = (await program.ready) as { url: string; opsUrl: string };
  const readiness = async (): Promise<number> => (await fetch(`${opsUrl}/readyz`)).status;
  const readyProcesses = async (): Promise<number | undefined> => {
    const figures = parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
    return sampleValue(figures, 'sluice_engine_processes', { state: 'ready' });
  };
  await waitFor(async () => (await fetch(`${opsUrl}/health`)).ok, { ...WITHIN, what: 'Redis' });
  await waitFor(() => gate.held >= 2, { ...WITHIN, what: 'the connections to be held up' });
  assert.equal(await readiness(), 503);
  gate.letOneIn();
  await waitFor(async () => (await readyProcesses()) === 1, { ...WITHIN, what: 'one to be ready' });
  assert.equal(await readiness(), 503);
  gate.open();
  await waitFor(async () => (await readiness()) === 200, { ...WITHIN, what: 'readiness' });
  // At once, so that they come over connections of their own, to both processes.
  const answers = await Promise.all(Array.from({ length: 16 }, () => fetch(`${url}/tasks/${UNKNOWN}`)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [404]);
  const [one = assert.fail('no process')] = childrenOf(program.pid);
  process.kill(one, 'SIGKILL');
  await waitFor(async () => (await readyProcesses()) === 1, { ...WITHIN, what: 'its death to be seen' });
  assert.equal(await readiness(), 200);
});
