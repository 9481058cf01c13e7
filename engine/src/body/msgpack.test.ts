import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SluiceError } from '@sluice/contract';
import { seededWholeNumbers } from '@sluice/testbed';
import { Packr } from 'msgpackr';
import { decodeBody } from './decode.js';
import { OPAQUE } from './msgpack.js';

const decode = (bytes: Uint8Array, maxDepth?: number) =>
  decodeBody(Buffer.from(bytes), 'application/msgpack', maxDepth);
const packed = (value: unknown) => Buffer.from(new Packr({ useRecords: false }).pack(value));
const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex');

describe('decodeBody of msgpack', () => {
  it('hands on the very same bytes when nothing has to be removed', () => {
    const body = { data: { a: [1, -1, 2.5, null, true, 'é😀\t\r\n\u007f'], b: {} }, metadata: { c: 'd' } };
    const bytes = packed(body);
    const { value, payload } = decodeBody(bytes, 'application/msgpack');
    assert.equal(payload === bytes, true);
    assert.deepEqual(Object.keys(bytes), Object.keys(packed(body)), 'nothing was added to the buffer');
    assert.deepEqual(value, body);
  });

  it('reads a body that is a part of a larger buffer', () => {
    const whole = Buffer.concat([
      Buffer.from([1, 2, 3]),
      packed({ data: 'x'.repeat(300) }),
      Buffer.from([4]),
    ]);
    assert.deepEqual(decodeBody(whole.subarray(3, -1), 'application/msgpack').value, {
      data: 'x'.repeat(300),
    });
  });

  const numbers: [bytes: string, value: number | bigint][] = [
    ['cf 00000000 00000005', 5],
    ['cf 001fffff ffffffff', Number.MAX_SAFE_INTEGER],
    ['d3 ffe00000 00000001', Number.MIN_SAFE_INTEGER],
    ['cf 00200000 00000001', 9007199254740993n],
    ['cf ffffffff ffffffff', 18446744073709551615n],
    ['d3 80000000 00000000', -9223372036854775808n],
    ['ca 3fc00000', 1.5],
    ['cb 7ff00000 00000000', Number.POSITIVE_INFINITY],
    ['ff', -1],
    ['cc ff', 255],
    ['d1 8000', -32768],
  ];
  for (const [bytes, value] of numbers) {
    it(`reads ${bytes} as ${value}`, () => assert.equal(decode(hex(bytes)).value, value));
  }

  it('shows binary data and timestamps as something that only a schema for any value takes', () => {
    const body = { data: [Buffer.from('abc'), new Date(0), { at: new Date(1.5e12) }, new Date(-1)] };
    const { value, payload } = decode(packed(body));
    assert.deepEqual(value, { data: [OPAQUE, OPAQUE, { at: OPAQUE }, OPAQUE] });
    assert.equal(payload.equals(packed(body)), true);
    assert.equal(decode(hex('c4 01 00')).value, OPAQUE);
  });

  const unclean: [what: string, before: string, after: string][] = [
    ['a short string', 'a3 61 00 62', 'a2 61 62'],
    ['a string of which nothing is left', 'a2 00 1f', 'a0'],
    ['a key', '81 a2 01 61 01', '81 a1 61 01'],
    ['backspace, but not tab, LF and CR', 'a4 08 09 0a 0d', 'a3 09 0a 0d'],
    [
      'several strings, and nothing between them',
      '94 a1 00 cb 8000000000000000 a2 61 0c d3 0000000000000001',
      '94 a0 cb 8000000000000000 a1 61 d3 0000000000000001',
    ],
    ['a str 8 that is then short', `d9 20 00 ${'61'.repeat(31)}`, `bf ${'61'.repeat(31)}`],
    ['a str 16 that is then a str 8', `da 0100 00 ${'61'.repeat(255)}`, `d9 ff ${'61'.repeat(255)}`],
    [
      'a str 32 that is then a str 16',
      `db 00010000 ${'61'.repeat(65535)} 00`,
      `da ffff ${'61'.repeat(65535)}`,
    ],
    ['a str 32 that stays one', `db 00010001 00 ${'61'.repeat(65536)}`, `db 00010000 ${'61'.repeat(65536)}`],
    ['a string with other characters', 'a7 c3a9 00 f09f9880', 'a6 c3a9 f09f9880'],
  ];
  for (const [what, before, after] of unclean) {
    it(`removes control characters from ${what}`, () => {
      assert.equal(decode(hex(before)).payload.toString('hex'), hex(after).toString('hex'));
    });
  }

  it('leaves control characters in binary data', () => {
    const bytes = hex('92 c4 03 000102 a1 61');
    assert.equal(decode(bytes).payload.equals(bytes), true);
  });

  const refused: [what: string, bytes: string, code: string, message: RegExp][] = [
    ['an empty body', '', 'INVALID_MSGPACK', /it is empty/],
    ['bytes after the value', 'c0 c0', 'INVALID_MSGPACK', /1 bytes follow the value that ends at byte 1/],
    ['the byte that is never used', '91 c1', 'INVALID_MSGPACK', /byte 1 is 0xc1/],
    ['a record of msgpackr', 'd4 72 40 91 a1 61 01', 'INVALID_MSGPACK', /byte 0 starts an extension/],
    ['an error of msgpackr', 'c7 00 65', 'INVALID_MSGPACK', /starts an extension/],
    ['a regular expression of msgpackr', 'c7 00 78 92 a1 61 a0', 'INVALID_MSGPACK', /starts an extension/],
    ['a set of msgpackr', 'c7 00 73 91 01', 'INVALID_MSGPACK', /starts an extension/],
    ['a bundle of strings of msgpackr', 'd6 62 00000004 c1', 'INVALID_MSGPACK', /starts an extension/],
    ['undefined as notepack writes it', 'd4 00 00', 'INVALID_MSGPACK', /starts an extension/],
    ['a timestamp of no length there is', 'c7 05 ff 0000000000', 'INVALID_MSGPACK', /starts an extension/],
    ['a large extension', 'c9 ffffffff ff', 'INVALID_MSGPACK', /starts an extension/],
    ['a number as key', '81 01 02', 'INVALID_MSGPACK', /the key at byte 1 is not a string/],
    ['binary data as key', '81 c4 01 61 02', 'INVALID_MSGPACK', /the key at byte 1 is not a string/],
    ['nil as key', '81 c0 02', 'INVALID_MSGPACK', /the key at byte 1 is not a string/],
    ['an array of 4 billion items in 6 bytes', 'dd ffffffff c0', 'INVALID_MSGPACK', /ends at byte 6/],
    ['a map of 4 billion keys in 8 bytes', 'df ffffffff a1 61 c0', 'INVALID_MSGPACK', /ends at byte 8/],
    ['a string of 4 GiB', 'db ffffffff 61', 'INVALID_MSGPACK', /ends at byte 6/],
    ['binary data of 4 GiB', 'c6 ffffffff 61', 'INVALID_MSGPACK', /ends at byte 6/],
    ['invalid UTF-8', 'a1 ff', 'INVALID_UTF8', /the string at byte 0/],
    ['invalid UTF-8 in a key', '81 a2 c328 01', 'INVALID_UTF8', /the string at byte 1/],
    ['a surrogate in UTF-8', 'a3 eda080', 'INVALID_UTF8', /the string at byte 0/],
    ['a character cut at the end of its string', '92 a1 c3 a1 a9', 'INVALID_UTF8', /the string at byte 1/],
  ];
  for (const [what, bytes, code, message] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => decode(hex(bytes)), { code, message }));
  }

  for (const key of [
    '__proto__',
    'constructor',
    'prototype',
    '__pr\u0000oto__',
    '\bconstructor',
    'prototype\u001f',
  ]) {
    it(`refuses the key ${JSON.stringify(key)} and says where it is`, () => {
      const name = key.replace(/[^_a-z]/g, '');
      assert.throws(() => decode(packed({ 'a/\u0000b': [0, new Map([[key, 1]])] })), {
        code: 'FORBIDDEN_KEY',
        message: `the body has a key that is not allowed: ${name}`,
        details: [
          {
            path: `/a~1b/1/${name}`,
            reason: 'no object may have a key __proto__, constructor or prototype',
          },
        ],
      });
    });
  }

  it('refuses a forbidden key in the longer forms of strings too', () => {
    for (const header of ['d9 09', 'da 0009', 'db 00000009']) {
      const bytes = Buffer.concat([hex(`81 ${header}`), Buffer.from('__proto__'), hex('80')]);
      assert.throws(() => decode(bytes), { code: 'FORBIDDEN_KEY' });
    }
  });

  it('takes the forbidden names where they are no keys, and keys that resemble them', () => {
    const body = {
      data: ['__proto__', 'constructor'],
      prototypes: 1,
      protoType: 2,
      __prot__x: 3,
      constructive: 4,
    };
    assert.deepEqual(decode(packed(body)).value, body);
  });

  it('takes 128 levels unless told otherwise', () => {
    const nested = (levels: number) => Buffer.concat([Buffer.alloc(levels - 1, 0x91), Buffer.from([0x90])]);
    assert.equal(decode(nested(128)).payload.length, 128);
    assert.throws(() => decode(nested(129)), { code: 'PAYLOAD_TOO_DEEP', message: /up to 128 levels/ });
    assert.throws(() => decode(nested(4), 3), { code: 'PAYLOAD_TOO_DEEP' });
    assert.equal(decode(nested(1000), 1000).payload.length, 1000);
    assert.throws(() => decode(nested(100_000)), { code: 'PAYLOAD_TOO_DEEP' });
    const maps = Buffer.alloc(300_000, Buffer.from([0x81, 0xa1, 0x61]));
    assert.throws(() => decode(maps), { code: 'PAYLOAD_TOO_DEEP' });
  });

  it('refuses a body that was cut off at any byte', () => {
    const bytes = packed({
      data: { list: [1, 300, 70_000, 1.5, -5, 'text', 'x'.repeat(40)], when: new Date(1) },
    });
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decode(bytes.subarray(0, length)), { code: 'INVALID_MSGPACK' });
    }
  });

  it('reads every way to write a value as that value', () => {
    const random = seededWholeNumbers(7);
    for (let round = 0; round < 5_000; round++) {
      const { bytes, value } = randomBody(random, 4);
      assert.deepEqual(decode(bytes).value, value, bytes.toString('hex'));
    }
  });

  it('answers bodies with changed bytes with an error of ours or with a clean body', () => {
    const random = seededWholeNumbers(11);
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(randomBody(random, 4).bytes);
      for (let changes = 1 + random(3); changes > 0; changes--) bytes[random(bytes.length)] = random(256);
      try {
        const { value, payload } = decode(bytes);
        const again = decode(payload);
        assert.deepEqual(again.value, value);
        assert.equal(again.payload.equals(payload), true);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that must be gone
        assert.doesNotMatch(textsOf(value), /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
        taken++;
      } catch (error) {
        assert.ok(
          error instanceof SluiceError && error.cause === undefined,
          `${error}: ${bytes.toString('hex')}`,
        );
      }
    }
    assert.ok(taken > 1000, `only ${taken} bodies were taken`);
  });
});

function textsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, item]) => key + textsOf(item))
    .join('');
}

type Random = (below: number) => number;

/** A random value and its bytes, in one of the forms msgpack allows for it. */
function randomBody(random: Random, levels: number): { bytes: Buffer; value: unknown } {
  switch (random(levels === 0 ? 5 : 8)) {
    case 0: {
      const [bytes, value] = (
        [
          ['c0', null],
          ['c2', false],
          ['c3', true],
          ['c4 02 0001', OPAQUE],
          ['c5 0000', OPAQUE],
          ['c6 00000001 ff', OPAQUE],
          ['d6 ff 00000001', OPAQUE],
          ['d7 ff 0000000000000001', OPAQUE],
          ['c7 0c ff 000000000000000000000001', OPAQUE],
        ] as const
      )[random(9)] as [string, unknown];
      return { bytes: hex(bytes), value };
    }
    case 1:
    case 2: {
      const value = random(128);
      const digits = value.toString(16).padStart(16, '0');
      const forms: [token: string, width: number][] = [
        ['', 2],
        ['cc', 2],
        ['cd', 4],
        ['ce', 8],
        ['cf', 16],
        ['d0', 2],
        ['d1', 4],
        ['d2', 8],
        ['d3', 16],
      ];
      const [token, width] = forms[random(forms.length)] as [string, number];
      return { bytes: hex(token + digits.slice(-width)), value };
    }
    case 3:
    case 4:
      return randomString(random, '');
    case 5:
    case 6: {
      const items = Array.from({ length: random(5) }, () => randomBody(random, levels - 1));
      const header = sized(random, items.length, ['9', 'dc', 'dd']);
      return {
        bytes: Buffer.concat([header, ...items.map((item) => item.bytes)]),
        value: items.map((item) => item.value),
      };
    }
    default: {
      const entries = Array.from({ length: random(5) }, (_, i) => ({
        // The number keeps keys apart after cleaning.
        key: randomString(random, String(i)),
        item: randomBody(random, levels - 1),
      }));
      const header = sized(random, entries.length, ['8', 'de', 'df']);
      return {
        bytes: Buffer.concat([header, ...entries.flatMap(({ key, item }) => [key.bytes, item.bytes])]),
        value: Object.fromEntries(entries.map(({ key, item }) => [key.value, item.value])),
      };
    }
  }
}

function sized(random: Random, size: number, [fix, two, four]: [string, string, string]): Buffer {
  const digits = size.toString(16).padStart(8, '0');
  return hex([fix + digits.slice(-1), two + digits.slice(-4), four + digits][random(3)] as string);
}

function randomString(random: Random, end: string): { bytes: Buffer; value: string } {
  const pieces = ['a', 'é', '😀', '\u0000', '\b', '\n', '\t', 'proto', '\u007f', '\u001f', 'x'.repeat(70)];
  const raw = Array.from({ length: random(6) }, () => pieces[random(pieces.length)]).join('') + end;
  const text = Buffer.from(raw);
  const digits = text.length.toString(16).padStart(8, '0');
  const forms = [`da${digits.slice(-4)}`, `db${digits}`];
  if (text.length < 256) forms.push(`d9${digits.slice(-2)}`);
  if (text.length < 32) forms.push((0xa0 | text.length).toString(16));
  const header = hex(forms[random(forms.length)] as string);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that are removed
  const value = raw.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');
  return { bytes: Buffer.concat([header, text]), value };
}
