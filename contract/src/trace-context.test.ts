import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isTraceparent, newTraceparent, traceStateOf } from './trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('isTraceparent', () => {
  for (const value of [
    `00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-00`,
    `cc-${TRACE}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`,
  ]) {
    it(`takes ${value}`, () => assert.equal(isTraceparent(value), true));
  }

  for (const [what, value] of [
    ['nothing', ''],
    ['version ff', `ff-${TRACE}-${PARENT}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['a long parent id', `00-${TRACE}-${PARENT}a-01`],
    ['no flags', `00-${TRACE}-${PARENT}`],
    ['long flags', `00-${TRACE}-${PARENT}-011`],
    ['a fifth part in version 00', `00-${TRACE}-${PARENT}-01-more`],
    ['a later version that goes on without a dash', `cc-${TRACE}-${PARENT}-01.what`],
    ['a blank in front', ` 00-${TRACE}-${PARENT}-01`],
    ['a line break behind', `00-${TRACE}-${PARENT}-01\n`],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(isTraceparent(value), false));
  }
});

describe('newTraceparent', () => {
  it('gives valid, sampled and different ones, also past the end of its pool', () => {
    const made = Array.from({ length: 2000 }, newTraceparent);
    for (const traceparent of made) {
      assert.equal(isTraceparent(traceparent), true, traceparent);
      assert.match(traceparent, /^00-.*-01$/);
    }
    assert.equal(new Set(made.map((one) => one.split('-')[1])).size, made.length);
    assert.equal(new Set(made.map((one) => one.split('-')[2])).size, made.length);
  });
});

describe('traceStateOf', () => {
  for (const [what, value, passedOn] of [
    ['one member', 'rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
    ['blanks and empty members between', 'a=1 ,, b=2\t,c= 3,', 'a=1,b=2,c= 3'],
    ['a key of a tenant', '1a-b*c/d@sys_1=x:y;z', '1a-b*c/d@sys_1=x:y;z'],
    ['32 members', membersOf(32), membersOf(32)],
    ['512 bytes', `a=${'1'.repeat(250)},bb=${'2'.repeat(256)}`, `a=${'1'.repeat(250)},bb=${'2'.repeat(256)}`],
    ['nothing', '', undefined],
    ['nothing but blanks', ' , \t', undefined],
    ['33 members', membersOf(33), undefined],
    ['513 bytes', `a=${'1'.repeat(251)},bb=${'2'.repeat(256)}`, undefined],
    ['a key twice', 'a=1,b=2,a=3', undefined],
    ['a capital letter in a key', 'A=1', undefined],
    ['no value', 'a=', undefined],
    ['no equals sign', 'a=1,b', undefined],
    ['an equals sign in a value', 'a=1=2', undefined],
    ['a value of 257 bytes', `a=${'1'.repeat(257)}`, undefined],
    ['a control character', 'a=1\u0001', undefined],
    ['what is not ASCII', 'a=\u00fc', undefined],
  ] as const) {
    it(`${passedOn === undefined ? 'drops' : 'passes on'} ${what}`, () =>
      assert.equal(traceStateOf(value), passedOn));
  }
});

function membersOf(count: number): string {
  return Array.from({ length: count }, (_, i) => `k${i}=v`).join(',');
}
