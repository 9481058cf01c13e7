import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineStat, parseStat } from './cpu-time.js';

const AFTER_NAME =
  'S 17 4242 4242 0 -1 4194560 9000 0 3 0 250 50 40 10 20 0 11 0 1234 1000000 5000 18446744073709551615';

test('reads parent and CPU time of a process, in seconds', () => {
  assert.deepEqual(parseStat(`4242 (node) ${AFTER_NAME}`), {
    parent: 17,
    cpuSeconds: 3,
    endedChildrenCpuSeconds: 0.5,
  });
});

test('is not misled by a program whose name contains spaces and parentheses', () => {
  assert.deepEqual(parseStat(`4242 (a) S 1 (b c) ${AFTER_NAME}`), {
    parent: 17,
    cpuSeconds: 3,
    endedChildrenCpuSeconds: 0.5,
  });
});

test('takes a line it does not understand for no process', () => {
  assert.equal(parseStat(''), undefined);
  assert.equal(parseStat('4242 (node) S 17'), undefined);
});

test('the machine is busy with all but idling and waiting for disks', () => {
  const stat = 'cpu  100 20 30 99999 88888 4 5 6 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 5\n';
  assert.equal(parseMachineStat(stat), 1.65);
  assert.equal(parseMachineStat('cpu0 1 1 1 1'), undefined);
  assert.equal(parseMachineStat(''), undefined);
});
