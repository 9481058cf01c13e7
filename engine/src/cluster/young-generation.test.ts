import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineNodeArguments } from './young-generation.js';

test('the young generation of an engine process is bounded, beside the arguments there are', () => {
  assert.deepEqual(engineNodeArguments(['--cpu-prof'], undefined), ['--cpu-prof', '--max-semi-space-size=4']);
});

test('who sets a bound has it, as an argument or in NODE_OPTIONS', () => {
  assert.deepEqual(engineNodeArguments(['--max-semi-space-size=64'], undefined), [
    '--max-semi-space-size=64',
  ]);
  assert.deepEqual(engineNodeArguments([], '--max_semi_space_size=64'), []);
});
