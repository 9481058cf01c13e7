import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOverLimit, readFailureLimit } from './failure-limit.js';

describe('readFailureLimit', () => {
  it('reads numbers and shares', () => {
    assert.deepEqual(readFailureLimit('5'), { kind: 'count', most: 5 });
    assert.deepEqual(readFailureLimit('10%'), { kind: 'share', most: 0.1 });
  });

  it('refuses everything else, with what is allowed', () => {
    for (const text of ['', 'x', '-1', '101%', '1.5', '%']) {
      assert.throws(() => readFailureLimit(text), /--max-failures is ".*"; allowed: /, text);
    }
  });
});

describe('isOverLimit', () => {
  it('is over a number with the next failure', () => {
    const limit = readFailureLimit('2');
    assert.equal(isOverLimit(limit, 2, 2), false);
    assert.equal(isOverLimit(limit, 3, 1000), true);
    assert.equal(isOverLimit(readFailureLimit('0'), 1, 1000), true);
  });

  it('does not judge a share by fewer than ten', () => {
    const limit = readFailureLimit('10%');
    assert.equal(isOverLimit(limit, 1, 1), false);
    assert.equal(isOverLimit(limit, 2, 2), true);
    assert.equal(isOverLimit(limit, 10, 100), false);
    assert.equal(isOverLimit(limit, 11, 100), true);
  });
});
