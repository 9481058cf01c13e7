import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBefore, timeOf } from './entry-id.js';

describe('isBefore', () => {
  it('compares milliseconds, then the sequence, as numbers of 64 bits', () => {
    assert.equal(isBefore('9-5', '10-0'), true);
    assert.equal(isBefore('10-9', '10-10'), true);
    assert.equal(isBefore('10-10', '10-10'), false);
    assert.equal(isBefore('5-18446744073709551615', '5-18446744073709551614'), false);
    assert.equal(isBefore('0-0', '0-1'), true);
  });
});

describe('timeOf', () => {
  it('is the part before the dash', () => {
    assert.equal(timeOf('1795257607784-12'), 1795257607784);
  });
});
