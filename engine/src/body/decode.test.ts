import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeBody } from './decode.js';

const decode = (body: string | Buffer, maxDepth?: number) =>
  decodeBody(Buffer.from(body), 'application/json', maxDepth);

describe('decodeBody of JSON', () => {
  it('hands on the very same bytes when nothing has to be removed', () => {
    for (const text of ['{"data":1}', ' {"data" : "é😀\\u0041\\n\\ud83d\\ude00"}\n', '"\\\\u0000"', 'null']) {
      const bytes = Buffer.from(text);
      const { value, payload } = decodeBody(bytes, 'application/json');
      assert.equal(payload, bytes);
      assert.deepEqual(value, JSON.parse(text));
    }
  });

  it('edits only the strings in which something has to be removed', () => {
    const body = String.raw`{"data": {"n\u0000": 12345678901234567890, "big": 1e400, "z": -0}, "metadata": {"é": "\b"}}`;
    const { value, payload } = decode(body);
    assert.equal(
      payload.toString(),
      '{"data": {"n": 12345678901234567890, "big": 1e400, "z": -0}, "metadata": {"é": ""}}',
    );
    assert.deepEqual(value, JSON.parse(payload.toString()));
  });

  it('keeps integers that no JavaScript number can hold', () => {
    const body = '{"data":{"id":9007199254740993}}';
    assert.equal(decode(body).payload.toString(), body);
  });

  it('refuses invalid UTF-8 and names the byte', () => {
    const invalid: [bytes: number[], at: number][] = [
      [[0x22, 0xff, 0x22], 1],
      [[0x22, 0xc3], 1], // ends within a character
      [[0x22, 0xc0, 0xaf, 0x22], 1], // longer than need be
      [[0x22, 0xed, 0xa0, 0x80, 0x22], 1], // a surrogate
      [[0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1], // beyond U+10FFFF
      [[0x22, 0xc3, 0xa9, 0x80, 0x22], 3],
    ];
    for (const [bytes, at] of invalid) {
      assert.throws(() => decode(Buffer.from(bytes)), {
        code: 'INVALID_UTF8',
        message: `the body is not valid UTF-8: it stops being so at byte ${at}`,
      });
    }
  });

  it('keeps a replacement character that was sent as such', () => {
    assert.equal(decode('"\ufffd"').value, '\ufffd');
  });

  it('refuses a byte order mark', () => {
    assert.throws(() => decode('\ufeff{"data":1}'), { code: 'INVALID_JSON', message: /byte order mark/ });
  });

  it('refuses an empty body', () => {
    assert.throws(() => decode(''), {
      code: 'INVALID_JSON',
      message: 'the body is not valid JSON: it ends where JSON needs a value',
    });
  });

  it('names the place of a fault and quotes nothing of the body', () => {
    assert.throws(() => decode('{"data": secret}'), {
      code: 'INVALID_JSON',
      message: 'the body is not valid JSON: expected a value at line 1, column 10 (position 9)',
    });
  });

  it('never turns bad JSON into good by removing something', () => {
    assert.throws(() => decode(String.raw`{"data":\u00001}`), { code: 'INVALID_JSON' });
    assert.throws(() => decode(String.raw`{"data":1}\b`), { code: 'INVALID_JSON' });
    assert.throws(() => decode('{"data":"\u0000"}'), { code: 'INVALID_JSON' });
  });

  const forbidden = [
    '{"__proto__":{}}',
    '{"data":{"__proto__":null}}',
    '{"data":[{"constructor" : {"prototype":{}}}]}',
    '{"data":{"prototype"\n:1}}',
    String.raw`{"data":{"\u005f_proto_\u005F":1}}`,
    String.raw`{"data":{"__pr\u006fto__":1}}`,
    String.raw`{"data":{"__pro\u0000to__":1}}`,
    String.raw`{"data":{"\bconstructor":1}}`,
    String.raw`{"data":{"proto\ud800type":1}}`,
    String.raw`{"data":{"c\u006f\u0001nstructor":1}}`,
    '{"data":{"__proto__":1,"__proto__":2}}',
  ];
  for (const body of forbidden) {
    it(`refuses the key in ${JSON.stringify(body)}`, () => {
      assert.throws(() => decode(body), { code: 'FORBIDDEN_KEY' });
    });
  }

  it('takes the forbidden names where they are no keys', () => {
    for (const body of [
      '{"data":"__proto__","metadata":{"a":"constructor"}}',
      String.raw`{"data":"\"__proto__\":1"}`,
      String.raw`{"a\"constructor":1}`,
      '["prototype"]',
      '{"__proto__x":1,"Constructor":1," prototype":1}',
    ]) {
      assert.equal(decode(body).payload.toString(), body);
    }
  });

  it('says where a forbidden key is', () => {
    assert.throws(() => decode('{"data":[1,{"constructor":1}]}'), {
      message: 'the body has a key that is not allowed: constructor',
      details: [
        {
          path: '/data/1/constructor',
          reason: 'no object may have a key __proto__, constructor or prototype',
        },
      ],
    });
  });

  it('takes 128 levels unless told otherwise', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    assert.equal(decode(nested(128)).payload.length, 256);
    assert.throws(() => decode(nested(129)), { code: 'PAYLOAD_TOO_DEEP', message: /up to 128 levels/ });
    assert.equal(decode(nested(3), 3).payload.length, 6);
    assert.throws(() => decode(nested(4), 3), { code: 'PAYLOAD_TOO_DEEP' });
  });

  it('bears 100,000 levels, closed or not', () => {
    assert.throws(() => decode('{"a":'.repeat(100_000)), { code: 'INVALID_JSON' });
    assert.throws(() => decode('['.repeat(100_000)), { code: 'INVALID_JSON' });
    assert.throws(() => decode('['.repeat(100_000) + ']'.repeat(100_000)), { code: 'PAYLOAD_TOO_DEEP' });
    const objects = `${'{"a":'.repeat(100_000)}"\\u0000"${'}'.repeat(100_000)}`;
    assert.throws(() => decode(objects), { code: 'PAYLOAD_TOO_DEEP' });
  });

  it('leaves Object.prototype alone', () => {
    assert.throws(() => decode('{"data":{"__proto__":{"polluted":true}}}'));
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });
});
