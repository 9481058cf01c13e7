import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, createClient, SendError } from '@sluice/client';
import { freePort, waitFor } from '@sluice/testbed';

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const ACCEPTED = { task_id: '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d', ack: 'appended' };

/** A server that answers as told, and a client of it. */
async function setUp(
  t: TestContext,
  answer: (response: ServerResponse, n: number, seen: Seen) => void,
  options: Partial<ClientOptions> = {},
) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const one = { url: request.url ?? '', headers: request.headers, body };
    seen.push(one);
    answer(response, seen.length, one);
  });
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return { seen, client: createClient({ url: `http://127.0.0.1:${port}/`, ...options }) };
}

function say(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const refusal = (code: string) => ({ error: { code, message: `because of ${code}`, details: [] } });

async function failureOf(sending: Promise<unknown>): Promise<SendError> {
  const error = await sending.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SendError, String(error));
  return error;
}

test('sends data, metadata, delay and wishes, and says how the task was taken', async (t) => {
  const { client, seen } = await setUp(
    t,
    (response) =>
      say(
        response,
        202,
        { ...ACCEPTED, run_at: '2030-01-01T00:00:00.000Z' },
        { 'Idempotency-Replayed': 'true' },
      ),
    { apiKey: 'secret' },
  );
  const receipt = await client.send(
    { n: 1 },
    {
      type: 'mail',
      metadata: { a: 1 },
      delaySeconds: 5,
      idempotencyKey: 'order-7',
      ack: 'replicated',
      traceparent: '00-x',
    },
  );
  const [{ url, headers, body }] = seen as [Seen];
  assert.equal(url, '/tasks/mail');
  assert.deepEqual(JSON.parse(body), { data: { n: 1 }, metadata: { a: 1 }, delay: 5 });
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['idempotency-key'], 'order-7');
  assert.equal(headers.prefer, 'ack=replicated');
  assert.equal(headers.authorization, 'Bearer secret');
  assert.equal(headers.traceparent, '00-x');
  assert.deepEqual(receipt, {
    ...{
      taskId: ACCEPTED.task_id,
      ack: 'appended',
      runAt: '2030-01-01T00:00:00.000Z',
      replayed: true,
      attempts: 1,
    },
  });
});

test('a task that is refused for a moment is sent again with the same key, not before Retry-After', async (t) => {
  const at: number[] = [];
  const { client, seen } = await setUp(t, (response, n) => {
    at.push(performance.now());
    if (n === 1) say(response, 503, refusal('OVERLOADED'), { 'Retry-After': '1' });
    else if (n === 2) say(response, 503, refusal('APPEND_UNCONFIRMED'));
    else say(response, 202, ACCEPTED);
  });
  assert.equal((await client.send(1)).attempts, 3);
  const keys = new Set(seen.map(({ headers }) => headers['idempotency-key']));
  assert.equal(keys.size, 1);
  assert.match([...keys].join(), /^[0-9a-f-]{36}$/);
  assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 1000);
});

test('every task has a key of its own', async (t) => {
  const { client, seen } = await setUp(t, (response) => say(response, 202, ACCEPTED));
  await Promise.all(Array.from({ length: 20 }, (_, n) => client.send(n)));
  assert.equal(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size, 20);
});

test('when the answer is lost, the task is sent again under its key', async (t) => {
  const { client, seen } = await setUp(t, (response, n) => {
    if (n === 1) response.destroy();
    else say(response, 202, ACCEPTED, { 'Idempotency-Replayed': 'true' });
  });
  const receipt = await client.send(1);
  assert.deepEqual([receipt.attempts, receipt.replayed], [2, true]);
  assert.equal(seen[0]?.headers['idempotency-key'], seen[1]?.headers['idempotency-key']);
});

test('an attempt without an answer is given up, and made again', async (t) => {
  const { client } = await setUp(t, (response, n) => n > 1 && say(response, 202, ACCEPTED), {
    attemptTimeoutSeconds: 0.2,
  });
  assert.equal((await client.send(1)).attempts, 2);
});

test('a task that is wrong is not sent again, and the error says what is wrong with it', async (t) => {
  const details = [{ path: '/data/n', reason: 'must be a number' }];
  const { client, seen } = await setUp(t, (response) =>
    say(response, 422, { error: { code: 'VALIDATION_ERROR', message: 'wrong', details } }),
  );
  const error = await failureOf(client.send({ n: 'x' }));
  assert.deepEqual(
    [error.code, error.status, error.message, error.details, error.attempts, error.mayBeStored],
    ['VALIDATION_ERROR', 422, 'wrong', details, 1, false],
  );
  assert.equal(seen.length, 1);
});

test('when time is up, the error says whether the task may have been stored', async (t) => {
  const of = async (code: string, status = 503) => {
    const { client } = await setUp(t, (response) => say(response, status, refusal(code)), {
      timeoutSeconds: 0.2,
    });
    const error = await failureOf(client.send(1));
    return [error.code, error.mayBeStored];
  };
  assert.deepEqual(await of('OVERLOADED'), ['OVERLOADED', false]);
  assert.deepEqual(await of('ACK_LEVEL_UNAVAILABLE'), ['ACK_LEVEL_UNAVAILABLE', false]);
  assert.deepEqual(await of('ACK_LEVEL_NOT_REACHED'), ['ACK_LEVEL_NOT_REACHED', true]);
  assert.deepEqual(await of('APPEND_UNCONFIRMED'), ['APPEND_UNCONFIRMED', true]);
  assert.deepEqual(await of('INTERNAL_ERROR', 500), ['INTERNAL_ERROR', true]);
  const nobody = `127.0.0.1:${await freePort()}`;
  const gone = createClient({ url: `http://${nobody}`, timeoutSeconds: 0.2 });
  const error = await failureOf(gone.send(1, { idempotencyKey: 'mine' }));
  assert.deepEqual([error.code, error.mayBeStored, error.idempotencyKey], ['UNREACHABLE', true, 'mine']);
  assert.equal(error.message, `no answer from http://${nobody}: connect ECONNREFUSED ${nobody}`);
});

test('once an attempt may have stored the task, a later refusal does not make that undone', async (t) => {
  const { client } = await setUp(
    t,
    (response, n) => (n === 1 ? response.destroy() : say(response, 503, refusal('OVERLOADED'))),
    { timeoutSeconds: 0.5 },
  );
  const error = await failureOf(client.send(1));
  assert.deepEqual([error.code, error.mayBeStored], ['OVERLOADED', true]);
});

test('an answer that is none of Sluice names its status', async (t) => {
  const { client } = await setUp(t, (response) => response.writeHead(404).end('<html>'));
  const error = await failureOf(client.send(1));
  assert.deepEqual([error.code, error.status, error.attempts], ['UNREADABLE_ANSWER', 404, 1]);
});

test('so many requests are under way at once, so many tasks wait, and the next one fails', async (t) => {
  const held: ServerResponse[] = [];
  const { client } = await setUp(t, (response) => void held.push(response), {
    maxInFlight: 2,
    maxWaiting: 3,
  });
  const sending = Array.from({ length: 5 }, (_, n) => client.send(n));
  await waitFor(() => held.length === 2, { timeoutMs: 20_000, what: 'two requests' });
  const error = await failureOf(client.send('one too many'));
  assert.deepEqual([error.code, error.attempts, error.mayBeStored], ['QUEUE_FULL', 0, false]);
  for (let answered = 0; answered < 5; answered++) {
    await waitFor(() => held.length > answered, { timeoutMs: 20_000, what: 'the next request' });
    assert.ok(held.length - answered <= 2, 'more than two at once');
    say(held[answered] as ServerResponse, 202, ACCEPTED); // it is there
  }
  assert.equal((await Promise.all(sending)).length, 5);
});

test('who waits for a turn waits no longer than it may: not past its time, nor past its signal', async (t) => {
  let release = (): void => {};
  const { client, seen } = await setUp(
    t,
    (response, n) => {
      const accept = (): void => say(response, 202, ACCEPTED);
      if (n === 1) release = accept;
      else accept();
    },
    { maxInFlight: 1, timeoutSeconds: 1 },
  );
  const first = client.send(1);
  await waitFor(() => seen.length === 1, { timeoutMs: 20_000, what: 'the first to be under way' });
  const abort = new AbortController();
  const aborted = failureOf(client.send(2, { signal: abort.signal }));
  abort.abort();
  const late = failureOf(client.send(3));
  assert.equal((await aborted).code, 'ABORTED');
  const { code, attempts, mayBeStored } = await late;
  assert.deepEqual([code, attempts, mayBeStored], ['QUEUE_TIMEOUT', 0, false]);
  assert.equal(seen.length, 1);
  release();
  await first;
  await client.send(4); // no place is lost to those who gave up
  assert.equal(seen.length, 2);
});

test('its signal ends a sending, during an attempt and between two', async (t) => {
  const during = new AbortController();
  const { client } = await setUp(t, () => during.abort());
  const error = await failureOf(client.send(1, { signal: during.signal }));
  assert.deepEqual([error.code, error.mayBeStored], ['ABORTED', true]);

  const between = new AbortController();
  const refusing = await setUp(t, (response) => {
    say(response, 503, refusal('OVERLOADED'), { 'Retry-After': '20' });
    setTimeout(() => between.abort(), 50);
  });
  const second = await failureOf(refusing.client.send(1, { signal: between.signal }));
  assert.deepEqual([second.code, second.attempts, second.mayBeStored], ['ABORTED', 1, false]);
});

test('a wrong option is refused at once, with its value and what is allowed', () => {
  const url = 'http://127.0.0.1:1';
  for (const [options, told] of [
    [
      { timeoutSeconds: Number.POSITIVE_INFINITY },
      /^timeoutSeconds is Infinity; allowed: .*at most 2147483$/,
    ],
    [{ attemptTimeoutSeconds: 0 }, /^attemptTimeoutSeconds is 0; allowed: a number above 0/],
    [{ timeoutSeconds: Number.NaN }, /^timeoutSeconds is NaN/],
    [{ maxInFlight: 0 }, /^maxInFlight is 0; allowed: a whole number from 1$/],
    [{ maxWaiting: 1.5 }, /^maxWaiting is 1.5; allowed: a whole number from 0$/],
  ] as const) {
    assert.throws(() => createClient({ url, ...options }), { name: 'RangeError', message: told });
  }
});

test('times need not be whole milliseconds', async (t) => {
  const { client } = await setUp(t, (response) => say(response, 202, ACCEPTED), {
    timeoutSeconds: 100 / 3,
    attemptTimeoutSeconds: 100 / 3,
  });
  assert.equal((await client.send(1)).attempts, 1);
});

test('what can never be sent is not tried again and again, and cannot be stored', async (t) => {
  const { client, seen } = await setUp(t, (response) => say(response, 202, ACCEPTED));
  const cycle: Record<string, unknown> = {};
  cycle.itself = cycle;
  for (const [data, options] of [
    [cycle, {}],
    [1n, {}],
    [1, { idempotencyKey: 'a\nb' }],
    [1, { idempotencyKey: '\u20ac' }],
    [1, { ack: 'appended\r\nX: y' }],
    [1, { runAt: new Date(Number.NaN) }],
  ] as const) {
    const { code, attempts, mayBeStored } = await failureOf(client.send(data, options));
    assert.deepEqual(
      { code, attempts, mayBeStored },
      { code: 'UNSENDABLE', attempts: 0, mayBeStored: false },
    );
  }
  assert.equal(seen.length, 0);
  assert.equal((await client.send(1)).attempts, 1); // none of them keeps a place
});

test('a url that cannot be sent to, or a key that no header can hold, is refused at once', () => {
  for (const url of [
    '',
    'localhost:8000',
    'intake',
    'ftp://localhost',
    'http://u:p@localhost',
    'http://localhost?x=1',
    'http://localhost/#x',
  ]) {
    assert.throws(() => createClient({ url }), {
      name: 'RangeError',
      message: /^url is ".*"; allowed: http/,
    });
  }
  for (const apiKey of ['', 'sec\nret', 'sec ret', 'sécret\u20ac']) {
    assert.throws(
      () => createClient({ url: 'http://localhost', apiKey }),
      (error: Error) =>
        error.name === 'RangeError' && /^apiKey is /.test(error.message) && !/ret/.test(error.message),
    );
  }
  createClient({ url: 'https://localhost/intake/', apiKey: 'sluice_x\n' }); // as a file has it
});
