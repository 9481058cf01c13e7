import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findCycles } from './cycles.js';

const cyclesOf = (imports: Record<string, string[]>) => findCycles(new Map(Object.entries(imports)));

describe('findCycles', () => {
  it('finds none in a graph whose paths only meet again', () => {
    assert.deepEqual(cyclesOf({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }), []);
  });

  it('names a ring once, wherever it is entered', () => {
    assert.deepEqual(cyclesOf({ start: ['b', 'a'], a: ['b'], b: ['c'], c: ['a'] }), [['b', 'c', 'a', 'b']]);
  });

  it('finds a file that imports itself', () => {
    assert.deepEqual(cyclesOf({ a: ['a'] }), [['a', 'a']]);
  });

  it('finds rings that nothing else leads to', () => {
    assert.deepEqual(cyclesOf({ a: ['lodash'], b: ['c'], c: ['b'] }), [['b', 'c', 'b']]);
  });
});
