import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Client, type ClientOptions, createClient, StatusError } from '@sluice/client';

const ID = '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d';
const UNSAID = {
  attempts: undefined,
  nextAttemptAt: undefined,
  finishedAt: undefined,
  reason: undefined,
  error: undefined,
};

interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
}

async function setUp(
  t: TestContext,
  answer: (response: ServerResponse, n: number) => void,
  options: Partial<ClientOptions> = {},
): Promise<{ client: Client; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ path: `${request.method} ${request.url}`, authorization: request.headers.authorization });
    answer(response, seen.length);
  });
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return { seen, client: createClient({ url: `http://127.0.0.1:${port}/`, ...options }) };
}

function say(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

const refusal = (code: string) => ({ error: { code, message: `because of ${code}` } });

async function failureOf(asking: Promise<unknown>): Promise<StatusError> {
  const error = await asking.then(
    () => assert.fail('it was told'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StatusError, String(error));
  return error;
}

test('says what became of a task', async (t) => {
  const at = '2026-01-02T03:04:05.678Z';
  const { client, seen } = await setUp(
    t,
    (response) =>
      say(response, 200, {
        task_id: ID,
        type: 'mail',
        queued_at: at,
        status: 'dead',
        attempts: 3,
        finished_at: at,
        reason: 'attempts-exhausted',
        error: { name: 'TypeError', message: 'no' },
        groups: { a: { status: 'done' }, b: { status: 'dead', attempts: 3 } },
      }),
    { apiKey: 'secret' },
  );
  assert.deepEqual(await client.status(ID), {
    taskId: ID,
    type: 'mail',
    runAt: undefined,
    queuedAt: at,
    status: 'dead',
    attempts: 3,
    nextAttemptAt: undefined,
    finishedAt: at,
    reason: 'attempts-exhausted',
    error: { name: 'TypeError', message: 'no' },
    groups: { a: { ...UNSAID, status: 'done' }, b: { ...UNSAID, status: 'dead', attempts: 3 } },
  });
  assert.deepEqual(seen, [{ path: `GET /tasks/${ID}`, authorization: 'Bearer secret' }]);
});

test('a task that nobody knows has no status', async (t) => {
  const { client, seen } = await setUp(t, (response) => say(response, 404, refusal('TASK_NOT_FOUND')));
  assert.equal(await client.status(ID), undefined);
  assert.equal(seen.length, 1);
});

test('asks again where that may help, and not where it does not', async (t) => {
  const { client, seen } = await setUp(t, (response, n) => {
    if (n === 1) response.destroy();
    else if (n === 2) say(response, 503, refusal('REDIS_UNAVAILABLE'));
    else say(response, 200, { task_id: ID, type: 'default', status: 'queued' });
  });
  assert.equal((await client.status(ID))?.status, 'queued');
  assert.equal(seen.length, 3);
  for (const [status, code] of [
    [404, 'TRACKING_OFF'],
    [401, 'UNAUTHORIZED'],
    [400, 'INVALID_TASK_ID'],
  ] as const) {
    const other = await setUp(t, (response) => say(response, status, refusal(code)));
    const error = await failureOf(other.client.status(ID));
    assert.deepEqual([error.code, error.status, error.message], [code, status, `because of ${code}`]);
    assert.equal(other.seen.length, 1);
  }
});

test('what is none of Sluice is said to be that, and gives up in time', async (t) => {
  const { client } = await setUp(t, (response) => response.end('<html>'), { timeoutSeconds: 0.01 });
  assert.equal((await failureOf(client.status('a/b?c'))).code, 'UNREADABLE_ANSWER');
  const nobody = await setUp(t, (response) => response.destroy(), { timeoutSeconds: 0.01 });
  assert.equal((await failureOf(nobody.client.status(ID))).code, 'UNREACHABLE');
  const aborted = nobody.client.status(ID, { signal: AbortSignal.abort() });
  assert.equal((await failureOf(aborted)).code, 'ABORTED');
});
