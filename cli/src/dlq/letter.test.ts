import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRedrivable, readLetter } from './letter.js';

const fields = (...texts: string[]) => texts.map((text) => Buffer.from(text));

const FACTS = ['reason', 'crashed', 'attempts', '2', 'group', 'g', 'source_stream', 'tasks:stream:mail'];

describe('readLetter', () => {
  it('does not mistake a field of the task for what consumers have added', () => {
    const letter = readLetter(
      '7-1',
      fields('task_id', 'a', 'reason', 'mine', 'group', 'mine', 'payload', '{}', ...FACTS),
      'tasks:stream',
    );
    assert.deepEqual(
      [letter.reason, letter.group, letter.attempts, letter.taskId, letter.diedAt],
      ['crashed', 'g', 2, 'a', 7],
    );
    assert.equal(isRedrivable(letter, 'tasks:stream'), true);
  });

  it('takes the type of a task that does not say it from its stream', () => {
    assert.equal(readLetter('1-1', fields(...FACTS), 'tasks:stream').type, 'mail');
  });

  it('reads what somebody else wrote, which cannot be redriven', () => {
    const letter = readLetter('1-1', fields('hello', 'world'), 'tasks:stream');
    assert.equal(letter.reason, '');
    assert.equal(letter.payload, undefined);
    assert.equal(isRedrivable(letter, 'tasks:stream'), false);
  });

  it('is not redrivable to a stream of another queue', () => {
    const letter = readLetter('1-1', fields(...FACTS), 'tasks:stream');
    assert.equal(isRedrivable(letter, 'other:stream'), false);
    assert.equal(isRedrivable({ ...letter, sourceStream: 'tasks:streams' }, 'tasks:stream'), false);
  });
});
