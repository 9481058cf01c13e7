import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SluiceError } from '@sluice/contract';
import { seededWholeNumbers } from '@sluice/testbed';
import { compileValidators } from '../validation/validator.js';
import { decodeBody } from './decode.js';
import { isPlainEnvelope, plainEnvelopeEnd } from './json-scan.js';
import { jsonValueEnd } from './json-value-end.js';

const MAX_DEPTH = 6;
/** Bytes from which on strings are looked at four bytes at a time. */
const LARGE = 512;
const validator = compileValidators([], 3600).of('default');

/** Whether the way round finds the body in order as it stands: parsed, searched, walked and validated. */
function passesTheLongWay(body: Buffer): boolean {
  try {
    const { value, payload } = decodeBody(body, 'application/json', MAX_DEPTH);
    return payload === body && validator.check(value);
  } catch (error) {
    assert.ok(error instanceof SluiceError);
    return false;
  }
}

const PLAIN = [
  '{"data":1}',
  ' \t\r\n{ "data" : null , "metadata" : { } } \n',
  '{"metadata":{"a":[{}]},"data":[[],{},"",-0,0.5,1e9,-12.25E-7,true,false,null]}',
  '{"data":"\\" \\\\ \\/ \\n \\r \\t"}',
  '{"data":{"a":"ü€😀"}}',
  '{"data":{"prototypes":1,"constructors":1,"__proto___":1,"Prototype":1}}',
  '{"data":"__proto__","metadata":{"a":"constructor"}}',
  '{"data":12345678901234567890123456789012345678901234567890}',
  '{"data":1,"data":{"data":2}}',
  '{"data":[[[[[]]]]]}',
  '{"data":{"a key longer than a few words":"and a string \\"too\\", which goes on\\n for é € a while"}}',
];

const NOT_PLAIN = [
  ['nothing', ''],
  ['no object', '[{"data":1}]'],
  ['no data', '{"metadata":{}}'],
  ['an empty object', '{}'],
  ['another key', '{"data":1,"more":2}'],
  ['a delay, which has to be read', '{"data":1,"delay":5}'],
  ['metadata that is no object', '{"data":1,"metadata":[]}'],
  ['a key that is spelled with an escape', '{"\\u0064ata":1}'],
  ['a forbidden key', '{"data":{"__proto__":1}}'],
  ['a forbidden key in metadata', '{"data":1,"metadata":{"a":[{"constructor":1}]}}'],
  ['a forbidden key spelled with an escape', '{"data":{"proto\\u0074ype":1}}'],
  ['an escape that may have to be removed', '{"data":"\\u0041"}'],
  ['a backspace', '{"data":"\\b"}'],
  ['a form feed', '{"data":"\\f"}'],
  ['too many levels', '{"data":[[[[[[]]]]]]}'],
  ['more behind it', '{"data":1}{}'],
  ['a key beyond ASCII', '{"data":{"é":1}}'],
  ['a byte order mark', '\ufeff{"data":1}'],
] as const;

describe('isPlainEnvelope', () => {
  for (const body of PLAIN) {
    it(`knows ${JSON.stringify(body)} to be in order, and it is`, () => {
      assert.equal(isPlainEnvelope(Buffer.from(body), MAX_DEPTH), true);
      assert.equal(passesTheLongWay(Buffer.from(body)), true);
    });
  }

  for (const [what, body] of NOT_PLAIN) {
    it(`wants a closer look at ${what}`, () => {
      assert.equal(isPlainEnvelope(Buffer.from(body), MAX_DEPTH), false);
    });
  }

  it('wants a closer look at bytes that are no UTF-8', () => {
    for (const bad of [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const body = Buffer.concat([Buffer.from('{"data":"'), Buffer.from(bad), Buffer.from('"}')]);
      assert.equal(isPlainEnvelope(body, MAX_DEPTH), false, body.toString('hex'));
    }
  });

  it('wants a closer look at every body cut short', () => {
    for (const text of PLAIN) {
      const body = Buffer.from(text.trimEnd());
      for (let length = 0; length < body.length; length++) {
        assert.equal(isPlainEnvelope(body.subarray(0, length), MAX_DEPTH), false, `${text} to ${length}`);
      }
    }
  });

  it('takes as many levels as it is told, also more than ever before', () => {
    const nested = (levels: number) =>
      Buffer.from(`{"data":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`);
    for (const levels of [1000, 128, 2, 5000]) {
      assert.equal(isPlainEnvelope(nested(levels), levels), true);
      assert.equal(isPlainEnvelope(nested(levels + 1), levels), false);
    }
    assert.equal(isPlainEnvelope(nested(100_000), 128), false);
  });

  it('never lets through what the long way refuses: every byte of every body changed to every other', () => {
    let letThrough = 0;
    for (const text of [...PLAIN, ...NOT_PLAIN.map(([, body]) => body)]) {
      const body = Buffer.from(text);
      for (let at = 0; at < body.length; at++) {
        const was = body[at] as number; // at < length
        for (let byte = 0; byte < 256; byte++) {
          body[at] = byte;
          letThrough += assertNoWorse(body);
        }
        body[at] = was;
      }
    }
    assert.ok(letThrough > 10_000, `${letThrough} were let through`);
  });

  it('says of every such body the same when it is large, wherever its words begin', () => {
    for (const [n, text] of [...PLAIN, ...NOT_PLAIN.map(([, body]) => body)].entries()) {
      const body = Buffer.from(text);
      const padding = LARGE + (n % 4);
      const large = Buffer.concat([Buffer.alloc(padding, ' '), body]);
      for (let at = 0; at < body.length; at++) {
        const was = body[at] as number; // at < length
        for (let byte = 0; byte < 256; byte++) {
          body[at] = byte;
          large[padding + at] = byte;
          const isPlain = isPlainEnvelope(body, MAX_DEPTH);
          if (isPlainEnvelope(large, MAX_DEPTH) !== isPlain)
            assert.fail(`${isPlain} of ${JSON.stringify(body.toString('latin1'))}`);
        }
        body[at] = was;
        large[padding + at] = was;
      }
    }
  });

  it('never lets through what the long way refuses: bodies put together at random', () => {
    const random = seededWholeNumbers(13);
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      ' ',
      '"data"',
      '"metadata"',
      '"a"',
      '"__proto__"',
      '"\\u0001"',
    ];
    pieces.push(
      '{"data":',
      '{"data":',
      '}',
      '-',
      '0',
      '12',
      '.5',
      'e+3',
      'true',
      'null',
      'nul',
      '"é"',
      '"\\n"',
      '\u0001',
    );
    for (let i = 0; i < 200_000; i++) {
      let text = random(3) > 0 ? '{"data":' : '';
      for (let length = random(9); length > 0; length--) text += pieces[random(pieces.length)];
      if (random(2) === 0) text += '}';
      assertNoWorse(Buffer.from(text));
    }
  });

  it('knows nearly all of our sample webhooks to be in order', () => {
    const samples = join(import.meta.dirname, '../../../examples/webhooks/sample-bodies');
    const bodies = readdirSync(samples).map((file) => readFileSync(join(samples, file), 'utf8'));
    assert.ok(bodies.length > 0);
    const plain = bodies.filter((text) => isPlainEnvelope(Buffer.from(`{"data":${text}}`), 128));
    assert.ok(plain.length > bodies.length / 2, `${plain.length} of ${bodies.length}`);
  });
});

/** Returns 1 for a body that is let through. */
function assertNoWorse(body: Buffer): number {
  if (!isPlainEnvelope(body, MAX_DEPTH)) return 0;
  assert.ok(passesTheLongWay(body), `let through: ${JSON.stringify(body.toString('latin1'))}`);
  return 1;
}

/** Where `plainEnvelopeEnd` says that an item ends. */
function endOf(bytes: Buffer, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return plainEnvelopeEnd(bytes, view, start, end, MAX_DEPTH);
}

describe('plainEnvelopeEnd', () => {
  it('says where a plain body ends, whatever stands behind it', () => {
    for (const text of PLAIN) {
      const body = text.trim();
      for (const behind of ['', ',', ']', ' ', '\n', '\n{"data":1}', '}']) {
        const bytes = Buffer.from(`x${body}${behind}`);
        const end = 1 + Buffer.byteLength(body);
        assert.equal(endOf(bytes, 1, bytes.length), end);
      }
    }
  });

  it('does not look beyond the end of its line', () => {
    const bytes = Buffer.from('{"data":\n1}');
    assert.equal(endOf(bytes, 0, bytes.length), bytes.length);
    assert.equal(endOf(bytes, 0, bytes.indexOf('\n')), -1);
    for (const text of PLAIN.map((body) => body.trim())) {
      for (let cut = 1; cut < text.length; cut++) {
        const lines = Buffer.from(`${text.slice(0, cut)}\n${text.slice(cut)}`);
        assert.equal(endOf(lines, 0, lines.indexOf('\n')), -1);
      }
    }
  });
});

const VALUES = [
  '0',
  '-12.5E+3',
  'true',
  'null',
  '""',
  '"\\u00e9\\ud800\\b\\f\\n\\"\\\\\\/ü€😀"',
  '[]',
  '{}',
  '[1,[2,[3,{"a":[{}]}]], "x" ]',
  '{ "a" : 1 , "\\u0061" : {"__proto__":[null,false]} }',
];

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What there is from an offset on is a value up to where we say, and no longer one is; or it is none. */
function assertAgrees(bytes: Buffer): void {
  if (!isUtf8(bytes) || /^\s/.test(bytes.toString('latin1'))) return;
  const end = jsonValueEnd(bytes, 0);
  if (end >= 0) assert.ok(isJson(bytes.toString('utf8', 0, end)), `no value: ${bytes.toString()}`);
  else {
    assert.equal(isJson(bytes.toString()), false, `a value: ${bytes.toString()}`);
    assert.ok(~end <= bytes.length);
  }
}

describe('jsonValueEnd', () => {
  it('says where a value ends, whatever stands before and behind it', () => {
    for (const text of VALUES) {
      const length = Buffer.byteLength(text);
      for (const behind of ['', ',1]', ' ]', '}', '\n{}']) {
        assert.equal(jsonValueEnd(Buffer.from(`[[${text}${behind}`), 2), 2 + length, text);
      }
    }
  });

  it('says where each value that is cut short ends', () => {
    for (const text of VALUES.filter((value) => !/^-?\d/.test(value))) {
      const bytes = Buffer.from(text);
      for (let length = 0; length < bytes.length; length++) {
        const fault = ~jsonValueEnd(bytes.subarray(0, length), 0);
        assert.ok(fault >= 0 && fault <= length, `${text} to ${length}`);
      }
    }
  });

  it('finds the byte at which a value stops being one', () => {
    for (const [text, at] of [
      ['[1 2]', 3],
      ['[1,]', 3],
      ['{"a" 1}', 5],
      ['{"a":1,}', 7],
      ['{a:1}', 1],
      ['"a\\x"', 2],
      ['"a\nb"', 2],
      ['[01]', 2],
      ['{"a":[}', 6],
      ['[}', 1],
      ['[1}', 2],
      ['+1', 0],
    ] as const) {
      assert.equal(~jsonValueEnd(Buffer.from(text), 0), at, text);
    }
  });

  it('bears any depth', () => {
    const depth = 1_000_000;
    const deep = Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    assert.equal(jsonValueEnd(deep, 0), 2 * depth);
    assert.equal(~jsonValueEnd(deep.subarray(0, 2 * depth - 1), 0), 2 * depth - 1);
    assert.equal(jsonValueEnd(Buffer.from(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`), 0), 5000 * 6 + 1);
  });

  it('agrees with JSON.parse: every byte of every value changed to every other', () => {
    for (const text of VALUES) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at++) {
        const was = bytes[at] as number; // at < length
        for (let byte = 0; byte < 256; byte++) {
          bytes[at] = byte;
          assertAgrees(bytes);
        }
        bytes[at] = was;
      }
    }
  });

  it('agrees with JSON.parse: texts put together at random', () => {
    const random = seededWholeNumbers(29);
    const pieces = '{ } [ ] : , "a" "\\u00" "\\ud800" - 0 12 .5 e+3 true null nul "é" "\\n" \\ "'.split(' ');
    for (let i = 0; i < 40_000; i++) {
      let text = '';
      for (let length = 1 + random(8); length > 0; length--) text += pieces[random(pieces.length)];
      assertAgrees(Buffer.from(text));
    }
  });
});
