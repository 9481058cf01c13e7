import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { entriesOf, post, redisForFile, runEngine } from './fixture.js';

// JSONTestSuite over HTTP. Its cases are data beside the project, in the folder below; where they are not, cases of
// our own stand in for them.
// @see https://github.com/nst/JSONTestSuite

const redis = redisForFile();
const FOLDER = join(import.meta.dirname, '../../../../shared/data/json-test-suite');
const suite = existsSync(FOLDER)
  ? readdirSync(FOLDER).map((file): Case => [file, readFileSync(join(FOLDER, file))])
  : undefined;

type Case = readonly [name: string, bytes: Buffer];

const OUR_BAD_CASES = [
  '',
  '[1,]',
  '{"a":1,}',
  "{'a':1}",
  '[01]',
  '["a\tb"]',
  '["\\x"]',
  '[NaN]',
  '{}}',
  '[]]',
];
const OUR_GOOD_CASES = [
  '0',
  '""',
  'null',
  '[-0.0e+1]',
  '{"a":{"a":[]}}',
  '["\\u0000"]',
  '["\\ud800"]',
  ' [1 ] ',
];

const bad =
  suite?.filter(([name]) => name.startsWith('n_')) ?? ours(OUR_BAD_CASES, Buffer.from('["\xff"]', 'latin1'));
const good = suite?.filter(([name]) => name.startsWith('y_')) ?? ours(OUR_GOOD_CASES);

test('all cases of the suite are there', { skip: suite === undefined && 'the suite is not here' }, () => {
  assert.equal(bad.length, 188);
  assert.equal(good.length, 95);
});

test('answers every case that is not JSON with 400, alone and as data, and appends nothing', async (t) => {
  const { url, stream, engine } = await runEngine(t, redis.server.url);
  for (const [name, bytes] of bad) {
    for (const body of [bytes, asData(bytes)]) {
      const { status, body: answer } = await post(`${url}/tasks`, body);
      assert.equal(status, 400, name);
      assert.match(answer.error?.code ?? '', /^INVALID_(JSON|UTF8)$/, name);
    }
  }
  assert.equal(engine.counters.requests, 2 * bad.length);
  assert.equal(await redis.client.exists(stream), 0);
});

test('answers every case that is JSON with 202 as data, and stores the same data', async (t) => {
  const { url, stream } = await runEngine(t, redis.server.url);
  for (const [name, bytes] of good) {
    const { status } = await post(`${url}/tasks`, asData(bytes));
    assert.equal(status, 202, name);
  }
  const entries = await entriesOf(redis.client, stream);
  assert.equal(entries.length, good.length);
  entries.forEach((entry, i) => {
    const [name, bytes] = good[i] as Case;
    const expected = sanitised(JSON.parse(bytes.toString()));
    assert.deepEqual(JSON.parse(entry.payload ?? ''), { data: expected }, name);
  });
});

function ours(texts: readonly string[], ...others: Buffer[]): Case[] {
  return [...texts.map((text) => Buffer.from(text)), ...others].map((bytes) => [bytes.toString(), bytes]);
}

function asData(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from('{"data":'), bytes, Buffer.from('}')]);
}

/** What the intake leaves of a value: no control characters but tab, CR and LF, and no lone surrogates. */
function sanitised(value: unknown): unknown {
  if (typeof value === 'string') return [...value].filter(staysInString).join('');
  if (Array.isArray(value)) return value.map(sanitised);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [sanitised(key), sanitised(one)]));
}

function staysInString(character: string): boolean {
  return !/\p{Surrogate}/u.test(character) && (character >= ' ' || '\t\n\r'.includes(character));
}
