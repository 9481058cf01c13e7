import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busySeconds, type CpuProfile, during, hotFunctions } from './cpu-profile.js';

function node(id: number, functionName: string, url = 'file:///engine.js', lineNumber = 9) {
  return { id, callFrame: { functionName, url, lineNumber } };
}

const PROFILE: CpuProfile = {
  nodes: [node(1, '(idle)', ''), node(2, 'append'), node(3, 'append'), node(4, '', 'file:///a.js', 0)],
  startTime: 7_000_000,
  samples: [1, 2, 3, 4, 2],
  timeDeltas: [5_000_000, 1_000_000, 2_000_000, 500_000, 500_000],
};

test('adds up what a function took itself, wherever it was called from', () => {
  const [first, second] = hotFunctions(PROFILE, 25);
  assert.deepEqual(first, {
    name: 'append',
    url: 'file:///engine.js',
    line: 10,
    selfSeconds: 3.5,
    part: 0.875,
  });
  assert.deepEqual(second, {
    name: '(anonymous)',
    url: 'file:///a.js',
    line: 1,
    selfSeconds: 0.5,
    part: 0.125,
  });
});

test('shows as many as were asked for, and no idling', () => {
  assert.deepEqual(
    hotFunctions(PROFILE, 1).map(({ name }) => name),
    ['append'],
  );
  assert.equal(busySeconds(PROFILE), 4);
});

test('leaves out what was before and after', () => {
  // Samples are taken at 12, 13, 15, 15.5 and 16 s.
  assert.equal(busySeconds(during(PROFILE, 12_500, 15_200)), 3);
  assert.equal(busySeconds(during(PROFILE, 0, 20_000)), 4);
});
