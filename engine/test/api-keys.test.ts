import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { defineTaskType, digestOfApiKey, newApiKey } from '@sluice/contract';
import { createEngine } from '@sluice/engine';
import { freePort, startProcess, waitFor } from '@sluice/testbed';
import { Type } from 'typebox';
import {
  childrenOf,
  ENGINE_PROGRAM,
  exchange,
  type Reply,
  redisForFile,
  runEngine,
  runProgram,
} from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":1}';
const taskTypes = [defineTaskType('mail', Type.Number()), defineTaskType('report', Type.Number())];
const SHOP = newApiKey();
const OPS = newApiKey();

const line = (name: string, scopes: string, key: string) => `${name} ${scopes} ${digestOfApiKey(key)}\n`;
const LINES = `# who sends what\n${line('shop', 'mail,default', SHOP)}${line('ops', '*', OPS)}`;

/** A file of keys, gone with the test. */
function keysFile(t: TestContext, text = LINES): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys');
  writeFileSync(file, text);
  return file;
}

async function send(
  url: string,
  key?: string,
  headers: Record<string, string> = key === undefined ? {} : { Authorization: `Bearer ${key}` },
  body = BODY,
): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Reply['body'],
  };
}

test('tasks are taken with a key for their type; without one 401, without the scope 403, and nothing is stored', async (t) => {
  const { url, stream, engine } = await runEngine(t, redis.server.url, {
    taskTypes,
    apiKeysFile: keysFile(t),
  });
  for (const [path, key, status, code, challenge] of [
    ['/tasks', undefined, 401, 'UNAUTHORIZED', 'Bearer'],
    ['/tasks', newApiKey(), 401, 'UNAUTHORIZED', 'Bearer error="invalid_token"'],
    ['/tasks/mail', undefined, 401, 'UNAUTHORIZED', 'Bearer'],
    ['/tasks/report', SHOP, 403, 'FORBIDDEN', 'Bearer error="insufficient_scope", scope="report"'],
    ['/tasks/batch', undefined, 401, 'UNAUTHORIZED', 'Bearer'],
    ['/tasks/mail/batch', undefined, 401, 'UNAUTHORIZED', 'Bearer'],
    ['/tasks/report/batch', SHOP, 403, 'FORBIDDEN', 'Bearer error="insufficient_scope", scope="report"'],
    ['/tasks/unknown/batch', undefined, 401, 'UNAUTHORIZED', 'Bearer'],
    ['/tasks/unknown', undefined, 401, 'UNAUTHORIZED', 'Bearer'],
    ['/tasks/unknown', SHOP, 404, 'UNKNOWN_TASK_TYPE', null],
  ] as const) {
    const { status: answered, body, headers } = await send(`${url}${path}`, key);
    assert.deepEqual([answered, body.error?.code], [status, code], path);
    assert.equal(headers.get('www-authenticate'), challenge);
    if (status !== 404) assert.ok(!JSON.stringify(body).includes('allowed:'), 'tells a stranger nothing');
    if (key !== undefined) assert.ok(!JSON.stringify([body, [...headers]]).includes(key));
  }
  assert.match(
    (await send(`${url}/tasks/report`, SHOP)).body.error?.message ?? '',
    /lacks the scope "report"/,
  );
  for (const type of ['', ':mail', ':report']) assert.equal(await redis.client.exists(`${stream}${type}`), 0);

  assert.equal((await send(`${url}/tasks`, SHOP)).status, 202);
  assert.equal((await send(`${url}/tasks/mail`, undefined, { 'X-API-Key': SHOP })).status, 202);
  assert.equal((await send(`${url}/tasks/report`, OPS)).status, 202);
  for (const type of ['', ':mail', ':report']) assert.equal(await redis.client.xlen(`${stream}${type}`), 1);
  assert.deepEqual(engine.counters.refused, { UNAUTHORIZED: 7, FORBIDDEN: 3, UNKNOWN_TASK_TYPE: 1 });
  for (const [path, key] of [
    ['/tasks/batch', SHOP],
    ['/tasks/mail/batch', SHOP],
    ['/tasks/report/batch', OPS],
  ] as const) {
    assert.equal((await send(url + path, key, undefined, `[${BODY},${BODY}]`)).status, 202, path);
  }
  for (const type of ['', ':mail', ':report']) assert.equal(await redis.client.xlen(`${stream}${type}`), 3);
});

test('nothing that takes tasks does so without a key, whatever its path', async (t) => {
  const { url, engine } = await runEngine(t, redis.server.url, { taskTypes, apiKeysFile: keysFile(t) });
  for (const path of ['/tasks', '/tasks/mail', '/tasks/batch', '/tasks/mail/batch', '/tasks?x', '/tasks/']) {
    for (const body of [BODY, `[${BODY}]`]) {
      const { status } = await send(url + path, newApiKey(), undefined, body);
      assert.ok([401, 404].includes(status), `${path}: ${status}`);
    }
  }
  assert.equal(engine.counters.accepted, 0);
});

test('probes need no key', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { apiKeysFile: keysFile(t) });
  for (const path of ['/health', '/livez', '/readyz']) assert.equal((await fetch(url + path)).status, 200);
});

test('without a file of keys nobody needs one', async (t) => {
  const { url } = await runEngine(t, redis.server.url);
  assert.equal((await send(`${url}/tasks`)).status, 202);
});

const request = (path: string, headers: readonly string[], body = '') =>
  [`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...headers, '', body].join('\r\n');
const LIVE = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
const TASK = request('/tasks', [`X-API-Key: ${OPS}`, `Content-Length: ${BODY.length}`], BODY);

for (const path of ['/tasks', '/tasks/mail', '/tasks/unknown', '/tasks/batch']) {
  test(`POST ${path}: a body that arrives after the 401 is not taken for a request, and the connection goes on`, async (t) => {
    const { port, stream } = await runEngine(t, redis.server.url, { taskTypes, apiKeysFile: keysFile(t) });
    const head = request(path, [`Content-Length: ${TASK.length}`]);
    for (const pieces of [
      [head, TASK, LIVE],
      [`${head}${TASK}`, LIVE],
    ]) {
      const { text, closed } = await exchange(port, pieces, /alive/);
      assert.match(text, /^HTTP\/1\.1 401 /);
      assert.match(text, /\r\n\r\n.*HTTP\/1\.1 200 OK/s);
      assert.doesNotMatch(text, /task_id/);
      assert.equal(closed, false);
    }
    assert.equal(await redis.client.exists(stream), 0);
    // The same bytes without a head in front are a task: what was hidden there would have been one.
    assert.match((await exchange(port, [TASK], /\r\n\r\n.*}/s)).text, /^HTTP\/1\.1 202 /);
  });
}

test('the 401 comes before the body, and a body too long or in chunks costs the connection', async (t) => {
  const { port } = await runEngine(t, redis.server.url, {
    apiKeysFile: keysFile(t),
    allowChunked: true,
    maxPayloadSize: 1000,
  });
  const early = await exchange(port, [request('/tasks', ['Content-Length: 900'])], /UNAUTHORIZED/);
  assert.match(early.text, /^HTTP\/1\.1 401 /);
  for (const header of ['Content-Length: 9000', 'Transfer-Encoding: chunked']) {
    const { text, closed } = await exchange(port, [request('/tasks', [header])]);
    assert.match(text, /^HTTP\/1\.1 401 .*Connection: close/s, header);
    assert.equal(closed, true, header);
  }
  const ambiguous = await exchange(port, [request('/tasks', ['Content-Length: 5', 'Content-Length: 6'])]);
  assert.match(ambiguous.text, /^HTTP\/1\.1 400 .*"BAD_REQUEST"/s);
});

const statusWith = async (url: string, key: string) => (await send(`${url}/tasks`, key)).status;

for (const [how, replace] of [
  ['written in place', writeFileSync],
  [
    'replaced by rename',
    (file: string, text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    },
  ],
] as const) {
  test(`a file that is ${how} counts within a second: new keys are taken, those left out are not`, async (t) => {
    const file = keysFile(t);
    const { url, events } = await runEngine(t, redis.server.url, { apiKeysFile: file });
    const added = newApiKey();
    assert.equal(await statusWith(url, added), 401);
    const at = performance.now();
    replace(file, line('new', '*', added));
    await waitFor(async () => (await statusWith(url, added)) === 202, {
      timeoutMs: 20_000,
      what: 'the new key',
    });
    t.diagnostic(`after ${Math.round(performance.now() - at)} ms`);
    assert.equal(await statusWith(url, OPS), 401);
    assert.deepEqual(
      events.filter(({ type }) => type.startsWith('api-keys')),
      [{ type: 'api-keys-loaded', file, keys: 1 }],
    );
  });
}

test('a symbolic link that leads elsewhere, as in a Kubernetes volume, counts too', async (t) => {
  const first = keysFile(t);
  const added = newApiKey();
  const second = keysFile(t, line('new', '*', added));
  const link = `${first}.link`;
  symlinkSync(first, link);
  const { url } = await runEngine(t, redis.server.url, { apiKeysFile: link });
  assert.equal(await statusWith(url, added), 401);
  symlinkSync(second, `${link}.new`);
  renameSync(`${link}.new`, link);
  await waitFor(async () => (await statusWith(url, added)) === 202, {
    timeoutMs: 20_000,
    what: 'the new key',
  });
});

test('a file that is broken, emptied or gone keeps the keys it had, is reported once, and counts again when right', async (t) => {
  const file = keysFile(t);
  const { url, events } = await runEngine(t, redis.server.url, { apiKeysFile: file });
  const refused = () => events.flatMap((event) => (event.type === 'api-keys-refused' ? [event.reason] : []));
  for (const [break_, reason] of [
    [() => appendFileSync(file, `oops ${newApiKey()}\n`), /^line 4 has 2 fields; allowed/],
    [() => writeFileSync(file, ''), /^there is no key in it$/],
    [() => rmSync(file), /^it cannot be read \(ENOENT\)$/],
  ] as const) {
    const before = refused().length;
    break_();
    await waitFor(() => refused().length > before, { timeoutMs: 20_000, what: `${reason}` });
    assert.match(refused().at(-1) ?? '', reason);
    assert.equal(await statusWith(url, SHOP), 202);
    assert.equal(await statusWith(url, newApiKey()), 401);
  }
  writeFileSync(file, LINES);
  await waitFor(() => events.at(-1)?.type === 'api-keys-loaded', { timeoutMs: 20_000, what: 'the file' });
  assert.equal(refused().length, 3);
  assert.equal(await statusWith(url, SHOP), 202);
});

test('a file that is wrong from the start stops it, with one line that shows nothing of it', async (t) => {
  const file = keysFile(t, `shop * ${SHOP}\n`);
  const program = startProcess(ENGINE_PROGRAM, {
    REDIS_URL: redis.server.url,
    SERVICE_HOST: '127.0.0.1',
    SERVICE_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    API_KEYS_FILE: file,
  });
  assert.equal((await program.exited).code, 1);
  assert.equal(
    program.output(),
    `API_KEYS_FILE is "${file}": line 1 has a third field that is no SHA-256 in 64 hex digits; allowed: a readable file, <name> <scopes> <sha256 hex of the key> in each line\n`,
  );
  for (const apiKeysFile of [file, '/nowhere/keys']) {
    assert.throws(
      () => createEngine({ redisUrl: redis.server.url, apiKeysFile }),
      (error: Error & { code?: string }) =>
        error.code === 'INVALID_OPTIONS' &&
        error.message.startsWith(`apiKeysFile is "${apiKeysFile}": `) &&
        !error.message.includes(SHOP),
    );
  }
});

test('all processes know the keys, one that is started while the file is broken too, and no output holds a key', async (t) => {
  const file = keysFile(t);
  const program = await runProgram(t, redis.server.url, { API_KEYS_FILE: file });
  const strange = newApiKey();
  const statuses = async (key: string) => {
    // A connection each: the kernel spreads them over the processes.
    const answers = Array.from({ length: 16 }, () =>
      send(`${program.url}/tasks`, undefined, { 'X-API-Key': key, Connection: 'close' }),
    );
    return [...new Set((await Promise.all(answers)).map(({ status }) => status))];
  };
  assert.deepEqual(await statuses(SHOP), [202]);
  assert.deepEqual(await statuses(strange), [401]);

  writeFileSync(file, line('ops', '*', OPS));
  await waitFor(() => program.output().includes('API keys read again'), {
    timeoutMs: 20_000,
    what: 'the file',
  });
  await waitFor(async () => (await statuses(SHOP)).join() === '401', {
    timeoutMs: 20_000,
    what: 'all to know',
  });
  writeFileSync(file, `somebody pasted ${strange} here\n`);
  await waitFor(() => program.output().includes('API keys not read'), {
    timeoutMs: 20_000,
    what: 'the report',
  });

  const victims = childrenOf(program.pid);
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  await waitFor(
    async () => {
      const now = childrenOf(program.pid);
      return (
        now.length === 2 && !now.some((pid) => victims.includes(pid)) && (await isHealthy(program.opsUrl))
      );
    },
    { timeoutMs: 20_000, what: 'the processes to be replaced' },
  );
  assert.deepEqual(await statuses(OPS), [202]);
  assert.deepEqual(await statuses(SHOP), [401]);

  program.signal('SIGTERM');
  assert.equal((await program.exited).code, 0);
  const output = program.output();
  assert.equal(output.match(/API keys read again/g)?.length, 1, 'told once, not by each process');
  assert.deepEqual(keysIn(output), []);
  assert.deepEqual(keysIn(`${output} ${SHOP}`), [SHOP], 'this is how one would be found');

  function keysIn(text: string): string[] {
    return [SHOP, OPS, strange]
      .flatMap((key) => [key, digestOfApiKey(key)])
      .filter((one) => text.includes(one));
  }
});

async function isHealthy(opsUrl: string): Promise<boolean> {
  return (await fetch(`${opsUrl}/health`)).ok;
}
