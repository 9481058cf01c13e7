import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from 'msgpackr';
import { decodePayload } from './payload.js';

const json = (text: string | Buffer) => decodePayload('application/json', Buffer.from(text));

test('data and metadata of a JSON body', () => {
  assert.deepEqual(json('{"data":[1,"ü"],"metadata":{"a":1}}'), { data: [1, 'ü'], metadata: { a: 1 } });
});

test('metadata may be missing, and is then empty', () => {
  assert.deepEqual(json('{"data":null}'), { data: null, metadata: {} });
});

test('data and metadata of a MessagePack body', () => {
  const body = pack({ data: { n: 1, blob: Buffer.from([1, 2]) }, metadata: { a: 'b' } });
  const { data, metadata } = decodePayload('application/msgpack', body);
  assert.deepEqual(metadata, { a: 'b' });
  assert.equal((data as { n: number }).n, 1);
});

test('a replacement character that was really sent is no fault', () => {
  assert.deepEqual(json('{"data":"\ufffd"}').data, '\ufffd');
});

const undecodable: [what: string, contentType: 'application/json' | 'application/msgpack', bytes: Buffer][] =
  [
    ['no JSON', 'application/json', Buffer.from('{"data":')],
    ['nothing', 'application/json', Buffer.from('')],
    ['an array', 'application/json', Buffer.from('[1]')],
    ['null', 'application/json', Buffer.from('null')],
    ['no data', 'application/json', Buffer.from('{"metadata":{}}')],
    ['metadata that is no object', 'application/json', Buffer.from('{"data":1,"metadata":[]}')],
    ['bytes that are no UTF-8', 'application/json', Buffer.from('{"data":"\xff\xfe"}', 'latin1')],
    ['JSON that is called MessagePack', 'application/msgpack', Buffer.from('{"data":1}')],
    ['half a MessagePack body', 'application/msgpack', pack({ data: 'long enough to cut' }).subarray(0, 9)],
  ];
for (const [what, contentType, bytes] of undecodable) {
  test(`${what} is undecodable, and the message quotes nothing of it`, () => {
    assert.throws(() => decodePayload(contentType, bytes), { code: 'UNDECODABLE' });
  });
}
