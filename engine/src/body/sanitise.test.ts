import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededWholeNumbers } from '@sluice/testbed';
import { refuseUnsafeTree, sanitiseJson } from './sanitise.js';

describe('sanitiseJson', () => {
  const cases: [what: string, text: string, clean: string][] = [
    ['NUL', String.raw`"a\u0000b"`, '"ab"'],
    ['every C0 control character but tab, LF and CR', controls(), String.raw`"\u0009\u000a\u000D"`],
    ['the short escapes of backspace and form feed', String.raw`"a\bb\fc"`, '"abc"'],
    ['a high surrogate without a low one', String.raw`"a\ud83db"`, '"ab"'],
    ['a low surrogate without a high one', String.raw`"a\uDE00b"`, '"ab"'],
    ['a high surrogate before a pair', String.raw`"\ud83d\ud83d\ude00"`, String.raw`"\ud83d\ude00"`],
    ['a low surrogate after a pair', String.raw`"\ud83d\ude00\ude00"`, String.raw`"\ud83d\ude00"`],
    ['a low surrogate after a raw pair', String.raw`"😀\ude00"`, '"😀"'],
    ['halves parted by a control character', String.raw`"\ud83d\u0000\ude00"`, '""'],
    ['halves in the wrong order', String.raw`"\ude00\ud83d"`, '""'],
    ['what follows an escaped backslash', String.raw`"\\\u0000u0041"`, String.raw`"\\u0041"`],
    ['characters in keys', String.raw`{"a\u0001":1}`, '{"a":1}'],
    ['the character at the very end', String.raw`"\f"`, '""'],
  ];
  for (const [what, text, clean] of cases) {
    it(`removes ${what}`, () => assert.equal(sanitiseJson(text), clean));
  }

  const kept = [
    '"plain"',
    '{"a":[1,2.50,1e400,-0,12345678901234567890]}',
    String.raw`"\t\n\r\"\\\/"`,
    String.raw`"\u0009\u000a\u000d\u0020\u007f\u00e9\uffff"`,
    String.raw`"\ud83d\ude00\uD83D\uDE00"`,
    String.raw`"\\u0000 \\b \\\\f C:\\bin\\ud83d"`,
    '"😀 é \u007f \u2028"',
  ];
  for (const text of kept) {
    it(`returns ${JSON.stringify(text)} as it is`, () => assert.equal(sanitiseJson(text), text));
  }

  it('keeps numbers, order and duplicate keys as they were written', () => {
    assert.equal(
      sanitiseJson(String.raw`{"b":1e400,"a":-0,"a":12345678901234567890.10,"c":"\u0000"}`),
      '{"b":1e400,"a":-0,"a":12345678901234567890.10,"c":""}',
    );
  });

  it('leaves the value that cleaning each string of the parsed text gives, whatever was escaped', () => {
    const random = seededWholeNumbers(20_261);
    for (let round = 0; round < 20_000; round++) {
      const text = randomJson(random, 3);
      const clean = sanitiseJson(text);
      assert.deepEqual(JSON.parse(clean), cleaned(JSON.parse(text)), text);
      assert.equal(sanitiseJson(clean), clean);
    }
  });
});

describe('refuseUnsafeTree', () => {
  it('lets every other key pass, and the forbidden names as values', () => {
    const value = JSON.parse(
      '{"__proto":1,"proto":[{"constructor_":"constructor"}],"Prototype":"__proto__"}',
    );
    assert.doesNotThrow(() => refuseUnsafeTree(value, 128));
    assert.doesNotThrow(() => refuseUnsafeTree('__proto__', 128));
    assert.doesNotThrow(() => refuseUnsafeTree(null, 128));
  });

  for (const key of ['__proto__', 'constructor', 'prototype']) {
    it(`refuses the key ${key} at any place and says where it is`, () => {
      assert.throws(() => refuseUnsafeTree(JSON.parse(`{"data":[0,{"a/b~c":{"${key}":1}}]}`), 128), {
        code: 'FORBIDDEN_KEY',
        details: [
          {
            path: `/data/1/a~1b~0c/${key}`,
            reason: 'no object may have a key __proto__, constructor or prototype',
          },
        ],
      });
    });
  }

  it('cuts the path short when its keys are very long', () => {
    const value = JSON.parse(`{"${'k'.repeat(100_000)}":{"prototype":1}}`);
    assert.throws(
      () => refuseUnsafeTree(value, 128),
      (error: { details: { path: string }[] }) => (error.details[0]?.path.length ?? 0) < 600,
    );
  });

  it('takes exactly the levels allowed', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    assert.doesNotThrow(() => refuseUnsafeTree(nested(128), 128));
    assert.throws(() => refuseUnsafeTree(nested(129), 128), { code: 'PAYLOAD_TOO_DEEP' });
    assert.throws(() => refuseUnsafeTree(nested(100_000), 128), { code: 'PAYLOAD_TOO_DEEP' });
    assert.doesNotThrow(() => refuseUnsafeTree(JSON.parse('{"a":{"b":1}}'), 2));
    assert.throws(() => refuseUnsafeTree(JSON.parse('{"a":{"b":{}}}'), 2), { code: 'PAYLOAD_TOO_DEEP' });
  });
});

/** A string with all of U+0000 to U+001F, of which three are written in the cases that come out. */
function controls(): string {
  const escapes = Array.from({ length: 32 }, (_, code) =>
    code === 13 ? String.raw`\u000D` : `\\u${code.toString(16).padStart(4, '0')}`,
  );
  return `"${escapes.join('')}"`;
}

/** Another way to the same end: on the value, with the regular expression that knows lone surrogates. */
function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanedText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cleanedText(key), cleaned(item)]));
}

function cleanedText(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r\u007f-\u009f]|\p{Cs}/gu, '');
}

function randomJson(random: (below: number) => number, levels: number): string {
  switch (random(levels === 0 ? 3 : 6)) {
    case 0:
      return ['null', 'true', '-1.5e3', '0'][random(4)] as string;
    case 1:
    case 2:
      return `"${randomText(random)}"`;
    case 3:
      return `[${Array.from({ length: random(4) }, () => randomJson(random, levels - 1)).join(' , ')}]`;
    default: {
      // The number at the end of the key keeps keys apart after cleaning.
      const entry = (_: unknown, i: number) =>
        `"${randomText(random)}${i}": ${randomJson(random, levels - 1)}`;
      return `{${Array.from({ length: random(4) }, entry).join(',')}}`;
    }
  }
}

const PIECES = ['a', 'u0000', 'b', 'é', '😀', '\u007f', '\uffff', '0', 'ud83d', ' '];
const ESCAPES = ['\\\\', '\\"', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t'];

function randomText(random: (below: number) => number): string {
  let text = '';
  for (let left = random(8); left > 0; left--) {
    const kind = random(6);
    if (kind === 0) text += PIECES[random(PIECES.length)];
    else if (kind === 1) text += ESCAPES[random(ESCAPES.length)];
    else {
      const unit = [random(0x22), 0xd800 + random(0x400), 0xdc00 + random(0x400), random(0x1_0000)][
        kind - 2
      ] as number;
      const digits = unit.toString(16).padStart(4, '0');
      text += `\\u${random(2) === 0 ? digits : digits.toUpperCase()}`;
    }
  }
  return text;
}
