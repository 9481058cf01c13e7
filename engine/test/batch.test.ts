import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineTaskType } from '@sluice/contract';
import { createEngine } from '@sluice/engine';
import { seededWholeNumbers } from '@sluice/testbed';
import { pack, unpack } from 'msgpackr';
import { Type } from 'typebox';
import { acceptedIds, codesOf, FORMS, postBatch } from './batch-fixture.js';
import { entriesOf, exchange, post, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const mail = defineTaskType('mail', Type.Object({ to: Type.String() }));

async function payloads(stream: string): Promise<Buffer[]> {
  const entries = await redis.client.xrangeBuffer(stream, '-', '+');
  return entries.map(([, fields]) => fields[9] as Buffer); // payload is the fifth field
}

for (const [mediaType, contentType, encode] of FORMS) {
  test(`${mediaType}: 202, and the tasks are in the stream in their order, under the ids in the answer`, async (t) => {
    const { url, stream, engine } = await runEngine(t, redis.server.url);
    const envelopes = Array.from({ length: 300 }, (_, n) => ({ data: { n, text: 'ü€😀' }, metadata: { n } }));
    const reply = await postBatch(`${url}/tasks/batch`, encode(envelopes), mediaType);
    assert.equal(reply.status, 202);
    const { accepted, refused, ack, errors, error, delayed } = reply.body;
    assert.deepEqual(
      [accepted, refused, ack, errors, error, delayed],
      [300, 0, 'appended', [], undefined, undefined],
    );
    const entries = await entriesOf(redis.client, stream);
    assert.deepEqual(
      entries.map((entry) => entry.task_id),
      reply.body.task_ids,
    );
    assert.equal(new Set(entries.map((entry) => entry.trace_context)).size, 300);
    assert.ok(entries.every((entry) => entry.content_type === contentType && entry.type === 'default'));
    const stored = (await payloads(stream)).map((payload) =>
      contentType === 'application/json' ? JSON.parse(payload.toString()) : unpack(payload),
    );
    assert.deepEqual(stored, envelopes);
    assert.equal(engine.counters.accepted, 300);
    assert.equal(engine.counters.appended, 300);
  });

  test(`${mediaType}: good tasks are kept when others fail, each with its own error`, async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url, { maxDepth: 5, maxPayloadSize: 400 });
    const envelopes: unknown[] = [
      { data: 'first' },
      { dat: 1 },
      { data: 2, metadata: 3 },
      { data: { nested: [[[[1]]]] } },
      { data: 'x'.repeat(400) },
      { data: 'a\u0000b' },
      'no envelope',
      { data: { constructor: 1 } },
      { data: 'later', delay: 60 },
      { data: 1, delay: -1 },
      { data: 'last' },
    ];
    const reply = await postBatch(`${url}/tasks/batch`, encode(envelopes), mediaType);
    assert.equal(reply.status, 207);
    assert.deepEqual([reply.body.accepted, reply.body.refused], [4, 7]);
    assert.deepEqual(codesOf(reply), [
      [1, 'VALIDATION_ERROR'],
      [2, 'VALIDATION_ERROR'],
      [3, 'PAYLOAD_TOO_DEEP'],
      [4, 'PAYLOAD_TOO_LARGE'],
      [6, 'VALIDATION_ERROR'],
      [7, 'FORBIDDEN_KEY'],
      [9, 'VALIDATION_ERROR'],
    ]);
    assert.deepEqual(
      reply.body.task_ids.map((id) => id !== null),
      [true, false, false, false, false, true, false, false, true, false, true],
    );
    assert.deepEqual(
      reply.body.errors.at(-1)?.error.details?.map(({ path }) => path),
      ['/delay'],
    );
    assert.deepEqual(
      reply.body.delayed?.map(({ index, run_at }) => [index, new Date(run_at).toISOString() === run_at]),
      [[8, true]],
    );
    const [first, , , , , cleaned, , , , , last] = reply.body.task_ids;
    const entries = await entriesOf(redis.client, stream);
    assert.deepEqual(
      entries.map((entry) => entry.task_id),
      [first, cleaned, last],
    );
    assert.match((await payloads(stream))[1]?.toString('latin1') ?? '', /ab/);
  });

  test(`${mediaType}: tasks of a type are held to its schema`, async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url, { taskTypes: [mail] });
    const envelopes = [{ data: { to: 'a' } }, { data: { to: 1 } }, { data: { to: 'b' } }];
    const reply = await postBatch(`${url}/tasks/mail/batch`, encode(envelopes), mediaType);
    assert.equal(reply.status, 207);
    assert.deepEqual(codesOf(reply), [[1, 'VALIDATION_ERROR']]);
    assert.deepEqual(
      reply.body.errors[0]?.error.details?.map(({ path }) => path),
      ['/data/to'],
    );
    const entries = await entriesOf(redis.client, `${stream}:mail`);
    assert.deepEqual(
      entries.map((entry) => [entry.task_id, entry.type]),
      acceptedIds(reply).map((id) => [id, 'mail']),
    );
    assert.equal(await redis.client.exists(stream), 0);
  });

  test(`${mediaType}: no tasks at all are no error`, async (t) => {
    const { url } = await runEngine(t, redis.server.url);
    const reply = await postBatch(`${url}/tasks/batch`, encode([]), mediaType);
    assert.equal(reply.status, 202);
    assert.deepEqual(reply.body, { accepted: 0, refused: 0, ack: 'appended', task_ids: [], errors: [] });
  });
}

test('all tasks keep the traceparent of their request', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const headers = { 'Content-Type': 'application/json', traceparent };
  await fetch(`${url}/tasks/batch`, { method: 'POST', body: '[{"data":1},{"data":2}]', headers });
  const entries = await entriesOf(redis.client, stream);
  assert.deepEqual(
    entries.map((entry) => entry.trace_context),
    [traceparent, traceparent],
  );
});

const NONE_ACCEPTED: [name: string, body: string, status: number, code: string][] = [
  ['of one kind', '[{},{"data":1,"more":2}]', 422, 'VALIDATION_ERROR'],
  ['of two kinds with one status', '[{"data":{"prototype":1}},{}]', 422, 'FORBIDDEN_KEY'],
  ['of two kinds with two statuses', `[{},{"data":"${'x'.repeat(300)}"}]`, 422, 'VALIDATION_ERROR'],
  ['too large, all of them', `[{"data":"${'x'.repeat(300)}"}]`, 413, 'PAYLOAD_TOO_LARGE'],
];

for (const [name, body, status, code] of NONE_ACCEPTED) {
  test(`none accepted, errors ${name}: ${status} ${code}, and still an error for each`, async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url, { maxPayloadSize: 200 });
    const reply = await postBatch(`${url}/tasks/batch`, body);
    assert.equal(reply.status, status);
    assert.equal(reply.body.error?.code, code);
    assert.equal(reply.body.accepted, 0);
    assert.equal(reply.body.errors.length, reply.body.refused);
    assert.ok(reply.body.task_ids.every((id) => id === null));
    assert.equal(await redis.client.exists(stream), 0);
  });
}

const REFUSED_WHOLE: [name: string, body: Buffer, mediaType: string, code: string][] = [
  ['an array cut short', Buffer.from('[{"data":1},{"data":2}'), 'application/json', 'INVALID_JSON'],
  ['an array with a comma at its end', Buffer.from('[{"data":1},]'), 'application/json', 'INVALID_JSON'],
  ['more behind an array', Buffer.from('[{"data":1}] x'), 'application/json', 'INVALID_JSON'],
  [
    'a bad task within an array',
    Buffer.from('[{"data":1},{"data":tru}]'),
    'application/json',
    'INVALID_JSON',
  ],
  ['no array', Buffer.from('{"data":1}'), 'application/json', 'INVALID_JSON'],
  ['nothing', Buffer.from(''), 'application/json', 'INVALID_JSON'],
  ['lines called an array', Buffer.from('{"data":1}\n{"data":2}'), 'application/json', 'INVALID_JSON'],
  ['no UTF-8', Buffer.from('[{"data":1},{"data":"\xff"}]', 'latin1'), 'application/json', 'INVALID_UTF8'],
  [
    'msgpack cut short',
    pack([{ data: 1 }, { data: 2 }]).subarray(0, -1),
    'application/msgpack',
    'INVALID_MSGPACK',
  ],
  [
    'more behind msgpack',
    Buffer.concat([pack([{ data: 1 }]), Buffer.of(1)]),
    'application/msgpack',
    'INVALID_MSGPACK',
  ],
  ['a msgpack map', pack({ data: 1 }), 'application/msgpack', 'INVALID_MSGPACK'],
  ['no msgpack', Buffer.of(0x91, 0xc1), 'application/msgpack', 'INVALID_MSGPACK'],
];

for (const [name, body, mediaType, code] of REFUSED_WHOLE) {
  test(`${name}: 400 ${code}, and nothing is stored`, async (t) => {
    const { url, stream } = await runEngine(t, redis.server.url);
    const reply = await postBatch(`${url}/tasks/batch`, body, mediaType);
    assert.equal(reply.status, 400);
    assert.deepEqual(Object.keys(reply.body), ['error']);
    assert.equal(reply.body.error?.code, code);
    assert.equal(await redis.client.exists(stream), 0);
  });
}

test('lines stand alone: one that is broken, or no UTF-8, does not take the others with it', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  const lines = [
    '{"data":1}',
    '{"data":[',
    '1]}',
    '{"data":"\xff"}',
    '  {"data":"\xc3\xbc"} \r',
    '',
    '{"data":',
    '{"data":2}',
  ];
  const body = Buffer.from(lines.join('\n'), 'latin1');
  const reply = await postBatch(`${url}/tasks/batch`, body, 'application/x-ndjson');
  assert.equal(reply.status, 207);
  assert.deepEqual(codesOf(reply), [
    [1, 'INVALID_JSON'],
    [2, 'INVALID_JSON'],
    [3, 'INVALID_UTF8'],
    [5, 'INVALID_JSON'],
  ]);
  assert.deepEqual(
    (await payloads(stream)).map((payload) => payload.toString()),
    ['{"data":1}', '{"data":"ü"}', '{"data":2}'],
  );
});

test('a batch of one is answered as the task alone, whatever its body', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url, { maxDepth: 6, taskTypes: [mail] });
  const random = seededWholeNumbers(41);
  const values = [
    '1',
    '-0.5e3',
    'null',
    '"a"',
    '"\\u0000b"',
    '"\\ud800"',
    '"é"',
    '[1,[2]]',
    '{"a":{}}',
    '{"to":"x"}',
  ];
  const others = [
    '{"__proto__":1}',
    '{"proto\\u0074ype":1}',
    '[[[[[[1]]]]]]',
    'tru',
    '"',
    '{"to":7}',
    '1e999',
  ];
  const keys = ['"data"', '"data"', '"data"', '"metadata"', '"delay"', '"run_at"', '"d\\u0061ta"', '"more"'];
  const pick = (from: readonly string[]): string => from[random(from.length)] as string;
  let accepted = 0;
  for (let i = 0; i < 400; i++) {
    const value = (): string => pick(random(4) === 0 ? others : values);
    const members = Array.from({ length: 1 + random(3) }, () => `${pick(keys)} :${value()}`);
    const body = random(12) === 0 ? value() : `{${members.join(', ')}${random(20) === 0 ? '' : '}'}`;
    const path = random(3) === 0 ? '/tasks/mail' : '/tasks';
    const at = path === '/tasks' ? stream : `${stream}:mail`;
    const alone = await post(`${url}${path}`, body);
    const inBatch = await postBatch(`${url}${path}/batch`, body, 'application/x-ndjson');
    assert.equal(inBatch.status, alone.status, body);
    assert.deepEqual(inBatch.body.errors[0]?.error, alone.body.error, body);
    if (alone.status !== 202) continue;
    accepted++;
    const delays = inBatch.body.delayed?.length ?? 0;
    assert.equal(delays > 0, 'run_at' in alone.body, body);
    if (delays > 0) continue;
    const [second, first] = await redis.client.xrevrange(at, '+', '-', 'COUNT', 2);
    const without = (fields: string[] = []): string[] => fields.filter((_, n) => ![1, 3, 11].includes(n));
    assert.deepEqual(without(second?.[1]), without(first?.[1]), body);
    assert.equal(second?.[1][1], inBatch.body.task_ids[0]);
  }
  assert.ok(accepted > 50, `${accepted} were accepted`);
});

test('a body in two packets, cut anywhere, is the same batch', async (t) => {
  const { port, stream } = await runEngine(t, redis.server.url);
  const body = Buffer.from('[{"data":"ü\\n"}, {"data":1,"delay":0},{"data":{"a":[]}}]');
  const head = `POST /tasks/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  for (let cut = 0; cut <= body.length; cut++) {
    const pieces = [head, body.subarray(0, cut), body.subarray(cut)];
    const { text } = await exchange(port, pieces, /"errors":\[\]/);
    assert.match(text, /^HTTP\/1\.1 202 .*"accepted":3,"refused":0/s);
  }
  assert.equal(await redis.client.xlen(stream), 3 * (body.length + 1));
  assert.deepEqual(
    [...new Set((await payloads(stream)).map(String))],
    ['{"data":"ü\\n"}', '{"data":1,"delay":0}', '{"data":{"a":[]}}'],
  );
});

test('a path, method or media type that is none is refused by its name', async (t) => {
  const { url } = await runEngine(t, redis.server.url, { taskTypes: [mail] });
  const unknown = await postBatch(`${url}/tasks/nothing/batch`, '[]');
  assert.deepEqual([unknown.status, unknown.body.error?.code], [404, 'UNKNOWN_TASK_TYPE']);
  for (const path of ['/tasks/batch', '/tasks/mail/batch']) {
    const get = await fetch(`${url}${path}`);
    assert.deepEqual([get.status, get.headers.get('allow')], [405, 'POST']);
    const form = await postBatch(`${url}${path}`, '[]', 'text/csv');
    assert.deepEqual([form.status, form.body.error?.code], [415, 'UNSUPPORTED_MEDIA_TYPE']);
    assert.match(form.body.error?.message ?? '', /application\/x-ndjson/);
  }
  assert.equal((await post(`${url}/tasks`, '{"data":1}', 'application/x-ndjson')).status, 415);
});

test('no task type can be called batch', () => {
  const type = { name: 'batch', data: Type.Unknown() };
  assert.throws(() => createEngine({ taskTypes: [type] }), {
    code: 'INVALID_OPTIONS',
    message: /task type "batch" is taken; allowed: any name but default, dlq, batch/,
  });
});
