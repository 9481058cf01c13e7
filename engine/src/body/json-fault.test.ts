import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeJsonFault, findJsonFault } from './json-fault.js';

describe('findJsonFault', () => {
  const cases: [text: string, position: number, expected: string][] = [
    ['', 0, 'a value'],
    [' \n', 2, 'a value'],
    ['{"a":1,}', 7, 'a key in double quotes'],
    ['{a:1}', 1, "a key in double quotes or '}'"],
    ['{"a" 1}', 5, "':' after a key"],
    ['{"a":1 "b":2}', 7, "',' or '}'"],
    ['[1 2]', 3, "',' or ']'"],
    ['[1,]', 3, 'a value'],
    ['[1}', 2, "',' or ']'"],
    ['[1]]', 3, 'nothing after the value'],
    ['tru', 0, 'a value'],
    ['nulL', 0, 'a value'],
    ['NaN', 0, 'a value'],
    ['-', 1, 'a digit'],
    ['01', 1, 'nothing after the value'],
    ['1.', 2, 'a digit'],
    ['1.e5', 2, 'a digit'],
    ['.5', 0, 'a value'],
    ['+1', 0, 'a value'],
    ['1e+', 3, 'a digit'],
    ['0x1', 1, 'nothing after the value'],
    ['"a', 2, 'the end of a string'],
    ['"a\\', 3, 'the end of a string'],
    ['"a\\x"', 2, 'an escape sequence of JSON'],
    ['"\\u12g4"', 1, 'an escape sequence of JSON'],
    ['"a\tb"', 2, 'control characters to be written as escape sequences'],
    ["'a'", 0, 'a value'],
    ['[1,\u00a02]', 3, 'a value'],
    ['\ufeff{}', 0, 'a value'],
  ];
  for (const [text, position, expected] of cases) {
    it(`finds the fault of ${JSON.stringify(text)} at ${position}`, () => {
      assert.throws(() => JSON.parse(text));
      assert.deepEqual(findJsonFault(text), { position, expected });
    });
  }

  it('finds a fault exactly where JSON.parse refuses the text, and none before it', () => {
    const seed = '{"a": [1, -2.5e+3, "x\\u00e9\\n", true, null], "b": {"c": "", "d": []}, "e": false}';
    const inserts = [...'{}[]",:\\-+.eE0 1tn\tu\u0000é'];
    let refused = 0;
    for (let at = 0; at <= seed.length; at++) {
      const changed = [seed.slice(0, at), seed.slice(0, at) + seed.slice(at + 1)];
      for (const insert of inserts) {
        changed.push(
          seed.slice(0, at) + insert + seed.slice(at),
          seed.slice(0, at) + insert + seed.slice(at + 1),
        );
      }
      for (const text of changed) {
        const fault = findJsonFault(text);
        assert.equal(fault === undefined, isJson(text), text);
        if (fault === undefined) continue;
        refused++;
        // What stands before the fault is the beginning of some JSON: it lacks an end at most.
        const before = findJsonFault(text.slice(0, fault.position));
        assert.ok(before === undefined || before.position >= fault.position - 5, text);
      }
    }
    assert.ok(refused > 1000, `only ${refused} texts were refused`);
  });

  it('bears 100,000 levels, closed or not', () => {
    assert.equal(findJsonFault('['.repeat(100_000) + ']'.repeat(100_000)), undefined);
    assert.equal(findJsonFault('[{"a":'.repeat(100_000))?.position, 600_000);
  });
});

describe('describeJsonFault', () => {
  it('names line, column and position', () => {
    assert.equal(told('{\n  "a": 1\n  "b": 2\n}'), "expected ',' or '}' at line 3, column 3 (position 13)");
  });

  it('says that the text ends too early', () => {
    assert.equal(told('{"a":'), 'it ends where JSON needs a value');
  });

  it('names a byte order mark', () => {
    assert.equal(told('\ufeff{}'), 'it starts with a byte order mark, which JSON does not allow');
  });

  function told(text: string): string {
    const fault = findJsonFault(text);
    assert.ok(fault);
    return describeJsonFault(text, fault);
  }
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
