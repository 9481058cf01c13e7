import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DigestLine, encodeLine, parseLine } from './digest-line.js';

const line: DigestLine = {
  task_id: 'e2f1',
  attempt: 1,
  at: '2026-05-20T07:44:10.000Z',
  type: 'github.push',
  repository: 'lantern-works/paper-kite',
  what: 'says {"task_id":"x"} and\nbreaks the line',
  counts: { pushes: 1 },
};

test('a line survives the way to text and back, and is one line whatever it says', () => {
  const bytes = encodeLine(line);
  assert.equal(bytes.indexOf('\n'), bytes.length - 1);
  assert.deepEqual(parseLine(bytes.toString().trimEnd()), line);
});

test('a line behind the torn half of another is found', () => {
  const whole = encodeLine(line).toString().trimEnd();
  for (let cut = 1; cut < whole.length; cut += 1) {
    assert.deepEqual(parseLine(whole.slice(0, cut) + whole), line);
  }
});

test('a torn half alone is no line', () => {
  const whole = encodeLine(line).toString().trimEnd();
  for (let cut = 0; cut < whole.length; cut += 1) assert.equal(parseLine(whole.slice(0, cut)), undefined);
});

test('JSON that is no digest line is passed over', () => {
  assert.equal(parseLine('{"task_id":7}'), undefined);
  assert.equal(parseLine('null'), undefined);
});
