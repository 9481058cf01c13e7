import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tapFailures } from './tap-failures.js';

/** As Node 20 and 22 write it. */
const REPORT = `TAP version 13
# Subtest: d
    # Subtest: n
    not ok 1 - n
      ---
      duration_ms: 0.58
      type: 'test'
      location: '/x/a.test.js:4:2'
      failureType: 'testCodeFailure'
      error: |-
        Expected values to be strictly equal:
        
        503 !== 200
        
      code: 'ERR_ASSERTION'
      name: 'AssertionError'
      expected: 200
      actual: 503
      operator: 'strictEqual'
      stack: |-
        TestContext.<anonymous> (file:///x/a.test.js:4:23)
        Test.runInAsyncScope (node:async_hooks:206:9)
        new Promise (<anonymous>)
        ask (file:///x/a.test.js:40:2)
      ...
    ok 2 - fine
      ---
      duration_ms: 0.2
      ...
    not ok 3 - not yet # TODO
      ---
      error: 'x'
      ...
    1..3
not ok 1 - d
  ---
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
1..1
# fail 2
`;

describe('tapFailures', () => {
  it('says of each failed test where, what was wanted, and by which way of our own it came there', () => {
    assert.deepEqual(tapFailures(REPORT), [
      {
        name: 'n',
        why: [
          "location: '/x/a.test.js:4:2'",
          'error: |-',
          '  Expected values to be strictly equal:',
          '  503 !== 200',
          'expected: 200',
          'actual: 503',
          'stack: |-',
          '  TestContext.<anonymous> (file:///x/a.test.js:4:23)',
          '  ask (file:///x/a.test.js:40:2)',
        ],
      },
      { name: 'd', why: ["error: '1 subtest failed'"] },
    ]);
  });

  it('is bounded, in lines and in their length', () => {
    const many = (key: string) => `  ${key}: |-\n${'    line\n'.repeat(50)}`;
    const keys = ['error', 'expected', 'actual', 'stack'].map(many).join('');
    const [failure] = tapFailures(`not ok 1 - n\n  ---\n  location: '${'x'.repeat(1000)}'\n${keys}  ...\n`);
    assert.equal(failure?.why.length, 20);
    assert.ok(failure?.why.every((line) => line.length <= 301));
    assert.equal(failure?.why.filter((line) => line === '  …').length, 4);
  });

  it('takes a report that breaks off, and a failure that says nothing', () => {
    assert.deepEqual(tapFailures('not ok 1 - n'), [{ name: 'n', why: [] }]);
    assert.deepEqual(tapFailures("not ok 1 - n\n  ---\n  error: 'x'"), [{ name: 'n', why: ["error: 'x'"] }]);
    assert.deepEqual(tapFailures(''), []);
  });
});
