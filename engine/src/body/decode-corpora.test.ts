import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SluiceError } from '@sluice/contract';
import { decodeBody } from './decode.js';
import { sanitiseJson } from './sanitise.js';

/** Where the outside collections are kept, when they are: beside the project. */
const DATA = join(import.meta.dirname, '../../../../shared/data');

const OUR_BAD_JSON = [
  '',
  ' ',
  '[',
  ']',
  '{',
  '}',
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1,,2]',
  '[1]]',
  '[1}',
  '{"a":1,}',
  '{"a":1,,"b":2}',
  '{"a"}',
  '{"a":}',
  '{:1}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{"a" 1}',
  '{"a":1}}',
  '{"a":1} x',
  '"a',
  '"a\\"',
  '"\\x41"',
  '"\\u00g0"',
  '"\\u00"',
  '"tab\there"',
  '"line\nbreak"',
  'tru',
  'True',
  'nul',
  'NaN',
  'Infinity',
  '-',
  '+1',
  '01',
  '-01',
  '1.',
  '.1',
  '1e',
  '1e+',
  '0x10',
  '1_000',
  '[1] // comment',
  '/* comment */ [1]',
  '\ufeff',
  '\u00a0[]',
];

const OUR_GOOD_JSON = [
  '[]',
  '{}',
  'null',
  'true',
  '-0',
  '0e1',
  '1E+2',
  '123456789012345678901234567890',
  '1.7976931348623157e309',
  '""',
  '"\u007f\u2028"',
  '"\\"\\\\\\/\\n\\r\\t"',
  '"\\ud83d\\ude00 😀"',
  ' [ 1 , { "a" : [ ] } ] ',
  '{"a":1,"a":2}',
  '{"":{"":""}}',
];

describe('decodeBody on bodies of our own', () => {
  for (const text of OUR_BAD_JSON) {
    it(`refuses ${JSON.stringify(text)}, alone and as data`, () => assertRefused(Buffer.from(text)));
  }
  for (const text of OUR_GOOD_JSON) {
    it(`takes ${JSON.stringify(text)} as data`, () => assertTaken(Buffer.from(text)));
  }
});

const suite = join(DATA, 'json-test-suite');

describe('decodeBody on the JSONTestSuite', {
  skip: !existsSync(suite) && 'the collection is not here',
}, () => {
  const files = existsSync(suite) ? readdirSync(suite) : [];

  it('reads all 283 cases', () => {
    assert.equal(files.filter((file) => file.startsWith('n_')).length, 188);
    assert.equal(files.filter((file) => file.startsWith('y_')).length, 95);
    assert.equal(files.length, 283);
  });

  for (const file of files) {
    const body = readFileSync(join(suite, file));
    if (file.startsWith('n_')) it(`refuses ${file}, alone and as data`, () => assertRefused(body));
    else it(`takes ${file} as data`, () => assertTaken(body));
  }
});

const webhooks = join(DATA, 'github-webhooks');

describe('decodeBody on real webhook bodies', {
  skip: !existsSync(webhooks) && 'the collection is not here',
}, () => {
  it('hands on the bytes of all 273 as they came', () => {
    const files = readdirSync(webhooks);
    assert.equal(files.length, 273);
    for (const file of files) {
      const bytes = wrapped(readFileSync(join(webhooks, file)));
      const { value, payload } = decodeBody(bytes, 'application/json');
      assert.equal(payload, bytes, file);
      assert.deepEqual(value, JSON.parse(bytes.toString()), file);
    }
  });
});

function assertRefused(body: Buffer): void {
  for (const bytes of [body, wrapped(body)]) {
    assert.throws(
      () => decodeBody(bytes, 'application/json'),
      (error) => error instanceof SluiceError && ['INVALID_JSON', 'INVALID_UTF8'].includes(error.code),
    );
  }
}

function assertTaken(body: Buffer): void {
  const bytes = wrapped(body);
  const { value, payload } = decodeBody(bytes, 'application/json');
  const text = bytes.toString();
  const clean = sanitiseJson(text);
  if (clean === text) assert.equal(payload, bytes);
  else assert.equal(payload.toString(), clean);
  assert.deepEqual(value, JSON.parse(clean));
}

function wrapped(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from('{"data":'), data, Buffer.from('}')]);
}
