import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { amount, quote, words } from './wording.js';

describe('quote', () => {
  it('keeps the first line only', () => assert.equal(quote('\n\nFirst\r\nsecond'), '“First”'));

  it('cuts long lines between characters, never inside one', () => {
    const cut = quote('🪁'.repeat(200));
    assert.equal(cut, `“${'🪁'.repeat(119)}…”`);
    assert.equal(quote('x'.repeat(120)), `“${'x'.repeat(120)}”`);
  });
});

describe('amount and words', () => {
  it('read well', () => {
    assert.deepEqual([amount(1, 'commit'), amount(0, 'file')], ['1 commit', '0 files']);
    assert.equal(words('ready_for_review'), 'ready for review');
  });
});
