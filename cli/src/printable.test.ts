import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneLine, plural, printable, shortened } from './printable.js';
import { table } from './table.js';

describe('what tasks and errors say', () => {
  it('cannot control the terminal', () => {
    assert.equal(oneLine('a\u001b[31mb\nc\u009bd'), 'a [31mb c d');
    assert.equal(printable('a\n\tb\u001bc\rd'), 'a\n\tb\ufffdc\ufffdd');
  });

  it('is cut where it is too long', () => {
    assert.equal(shortened('abc', 3), 'abc');
    assert.equal(shortened('abcd', 3), 'ab…');
    assert.equal(plural(1, 'task'), '1 task');
    assert.equal(plural(0, 'task'), '0 tasks');
  });
});

describe('table', () => {
  it('puts numbers to the right and text to the left', () => {
    assert.deepEqual(
      table([
        ['key', 'n'],
        ['a', 5],
        ['bcd\n', 100],
      ]),
      ['key     n', 'a       5', 'bcd   100'],
    );
  });
});
