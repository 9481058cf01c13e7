import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type Answer, freePort, startLoad, startProcess, waitFor } from '@sluice/testbed';
import { childrenOf, ENGINE_PROGRAM, redisForFile, runProgram } from './fixture.js';

const redis = redisForFile();
const accepted = (answer: Answer): boolean => answer.status === 202;

async function stored(stream: string): Promise<Set<string>> {
  const entries = await redis.client.xrange(stream, '-', '+');
  return new Set(entries.map(([, fields]) => fields[fields.indexOf('task_id') + 1] ?? ''));
}

test('SIGTERM under load: every request that came in is answered, and the exit code is 0', async (t) => {
  const program = await runProgram(t, redis.server.url);
  const load = startLoad({ url: program.url, connections: 32 });
  await load.until(accepted, 500);
  program.signal('SIGTERM');
  const { code } = await program.exited;
  const answers = await load.stop();
  assert.equal(code, 0);
  const inStream = await stored(program.stream);
  const acceptedIds = answers.filter(accepted).map((answer) => answer.taskId ?? '');
  assert.deepEqual(
    acceptedIds.filter((id) => !inStream.has(id)),
    [],
  );
  // Nothing was stored whose client did not hear of it: all that came in was answered.
  assert.equal(inStream.size, acceptedIds.length);
});

test('an engine process killed under load is replaced, and no 202 is lost', async (t) => {
  const program = await runProgram(t, redis.server.url);
  const load = startLoad({ url: program.url, connections: 16 });
  for (let round = 0; round < 3; round++) {
    await load.until(accepted, 200);
    const before = childrenOf(program.pid);
    const victim = before[0] as number;
    process.kill(victim, 'SIGKILL');
    await waitFor(
      () => {
        const now = childrenOf(program.pid);
        return now.length === 2 && !now.includes(victim);
      },
      { timeoutMs: 20_000, what: 'the process to be replaced' },
    );
  }
  const answers = await load.stop();
  const inStream = await stored(program.stream);
  assert.deepEqual(
    answers
      .filter(accepted)
      .map((answer) => answer.taskId ?? '')
      .filter((id) => !inStream.has(id)),
    [],
  );
});

test('processes that keep dying end the program with one clear line', async (t) => {
  const program = await runProgram(t, redis.server.url, { WORKER_PROCESSES: '1' });
  let exited = false;
  void program.exited.then(() => {
    exited = true;
  });
  await waitFor(
    () => {
      for (const child of childrenOf(program.pid)) process.kill(child, 'SIGKILL');
      return exited;
    },
    { timeoutMs: 60_000, what: 'the program to give up' },
  );
  assert.equal((await program.exited).code, 1);
  assert.match(program.output(), /the engine processes keep dying \(8 times in a row\): SIGKILL/);
});

test('the processes end when the primary is killed', async (t) => {
  const program = await runProgram(t, redis.server.url);
  const children = childrenOf(program.pid);
  assert.equal(children.length, 2);
  program.signal('SIGKILL');
  await program.exited;
  await waitFor(() => children.every((pid) => !isAlive(pid)), {
    timeoutMs: 20_000,
    what: 'the processes to end',
  });
});

test('a port in use is one line that names the variable, although the port could be shared', async (t) => {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  t.after(() => holder.close());
  for (const variable of ['SERVICE_PORT', 'METRICS_PORT']) {
    const program = startProcess(ENGINE_PROGRAM, {
      REDIS_URL: redis.server.url,
      SERVICE_HOST: '127.0.0.1',
      SERVICE_PORT: String(await freePort()),
      METRICS_PORT: String(await freePort()),
      [variable]: String(port),
    });
    assert.equal((await program.exited).code, 1);
    assert.equal(
      program.output().trim(),
      `${variable} is ${port}: cannot listen on 127.0.0.1:${port}, another program listens there`,
    );
  }
});

test('a second engine on the same port is told so', async (t) => {
  const first = await runProgram(t, redis.server.url);
  const second = startProcess(ENGINE_PROGRAM, {
    REDIS_URL: redis.server.url,
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: new URL(first.url).port,
    METRICS_PORT: String(await freePort()),
  });
  assert.equal((await second.exited).code, 1);
  assert.match(second.output(), /^SERVICE_PORT is \d+: .* another program listens there$/m);
});

test('wrong variables are one line each: name, value, what is allowed', async () => {
  const program = startProcess(ENGINE_PROGRAM, {
    MAX_PAYLOAD_SIZE: 'much',
    ACK_MODE: 'maybe',
    REDIS_URL: 'http://u:geheim@host',
    METRICS_PORT: '0', // of the program, the others are of its processes
  });
  assert.equal((await program.exited).code, 1);
  const lines = program.output().trim().split('\n').sort();
  assert.equal(lines.length, 4);
  assert.equal(lines[0], 'ACK_MODE is "maybe"; allowed: received, appended, replicated, fsynced');
  assert.match(lines[1] ?? '', /^MAX_PAYLOAD_SIZE is "much"; allowed: a whole number from 1 to \d+$/);
  assert.match(lines[2] ?? '', /^METRICS_PORT is 0; allowed: a whole number from 1 to 65535$/);
  assert.match(lines[3] ?? '', /^REDIS_URL is "http:\/\/\*\*\*@host"; allowed: redis:\/\//);
});

test('ports that cannot be are refused: none at all, or the same for tasks and operations', async () => {
  for (const [env, line] of [
    [{ SERVICE_PORT: '0' }, /^SERVICE_PORT is 0; allowed: from 1 to 65535/],
    [{ SERVICE_PORT: '8080', METRICS_PORT: '8080' }, /^METRICS_PORT is 8080, the port of the intake;/],
  ] as const) {
    const program = startProcess(ENGINE_PROGRAM, env);
    assert.equal((await program.exited).code, 1);
    assert.match(program.output(), line);
  }
});

test('the operations port answers whatever the query', async (t) => {
  const { opsUrl } = await runProgram(t, redis.server.url);
  for (const path of ['/health?full=1', '/livez?', '/readyz?verbose']) {
    assert.notEqual((await fetch(`${opsUrl}${path}`)).status, 404);
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
