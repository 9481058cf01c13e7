import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeeperThan } from './json-depth.js';

test('counts arrays and objects that are open at once, and nothing within strings', () => {
  const bodies: [text: string, depth: number][] = [
    ['1', 0],
    ['{}', 1],
    ['[{"a":[]},[[]]]', 3],
    ['[[],[],[],{}]', 2],
    ['{"[[[":"{{{\\"[[[\\\\"}', 1],
    ['{"a":"\\\\","b":[{}]}', 3],
    ['"[', 0],
    ['"\\', 0],
  ];
  for (const [text, depth] of bodies) {
    const bytes = Buffer.from(text);
    for (let bound = 0; bound < 5; bound++) assert.equal(isDeeperThan(bound, bytes), depth > bound, text);
  }
});
