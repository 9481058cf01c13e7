import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type StatusReply, taskStatusOf } from './task-status.js';

const ID = '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d';
const ENTRY = '1700000000000-5';
const QUEUED_AT = '2023-11-14T22:13:20.000Z';
const LATER = '1700000001000';
const LATER_ISO = '2023-11-14T22:13:21.000Z';

type Group = StatusReply[3][number];

const unread: Group = ['g', '0-0', '', '', ''];
const acknowledged: Group = ['g', ENTRY, '', '', ''];

function statusOf(said: Record<string, string>, groups: readonly Group[] = [], inStream: 0 | 1 = 1) {
  return taskStatusOf(ID, 'mail', [Object.entries(said).flat(), 0, inStream, groups, []]);
}

const named = { task_id: ID, type: 'mail', queued_at: QUEUED_AT };

describe('the status of a task', () => {
  it('is queued while its group has not been given it, and while there is no group', () => {
    const expected = { ...named, status: 'queued', attempts: 0 };
    assert.deepEqual(statusOf({ entry: ENTRY }, [unread]), expected);
    assert.deepEqual(statusOf({ entry: ENTRY }, [['g', '1700000000000-4', '', '', '']]), expected);
    assert.deepEqual(statusOf({ entry: ENTRY }), { ...named, status: 'queued' });
  });

  it('is queued until it is due', () => {
    const scheduled = taskStatusOf(ID, 'mail', [['due', LATER], 1, 0, [], []]);
    assert.deepEqual(scheduled, { task_id: ID, type: 'mail', run_at: LATER_ISO, status: 'queued' });
    assert.equal(taskStatusOf(ID, 'mail', [['due', LATER], 0, 0, [], []]).status, 'gone');
    assert.equal(statusOf({ due: LATER, entry: ENTRY }, [unread]).run_at, LATER_ISO);
  });

  it('is running while a consumer has it, after failed attempts too', () => {
    assert.equal(statusOf({ entry: ENTRY }, [['g', ENTRY, 'host:1:0', '', '']]).status, 'running');
    const again = statusOf({ entry: ENTRY }, [['g', ENTRY, 'host:1:0', '2:1700000000500:0', '']]);
    assert.deepEqual([again.status, again.attempts], ['running', 2]);
  });

  it('is failed between two attempts, and queued when it was given back without one', () => {
    assert.deepEqual(statusOf({ entry: ENTRY }, [['g', ENTRY, '~parked', '1:1700000000500:0', LATER]]), {
      ...named,
      status: 'failed',
      attempts: 1,
      next_attempt_at: LATER_ISO,
    });
    assert.equal(statusOf({ entry: ENTRY }, [['g', ENTRY, '~parked', '0:0:1', LATER]]).status, 'queued');
    assert.equal(statusOf({ entry: ENTRY }, [['g', ENTRY, '~parked', '', LATER]]).status, 'queued');
  });

  it('is done when its group has said so, wherever the entry is', () => {
    const done = { ...named, status: 'done', finished_at: LATER_ISO };
    for (const inStream of [0, 1] as const) {
      assert.deepEqual(
        statusOf({ entry: ENTRY, 'group:g': `done ${LATER}` }, [acknowledged], inStream),
        done,
      );
    }
  });

  it('is done when a consumer that says nothing has acknowledged it', () => {
    assert.deepEqual(statusOf({ entry: ENTRY }, [acknowledged]), { ...named, status: 'done' });
  });

  it('is dead with the reason, and with the error while the dead letter is there', () => {
    const said = ['entry', ENTRY, 'group:g', `dead ${LATER} 5-0 3 attempts-exhausted`];
    const dead = {
      ...named,
      status: 'dead',
      attempts: 3,
      finished_at: LATER_ISO,
      reason: 'attempts-exhausted',
    };
    assert.deepEqual(taskStatusOf(ID, 'mail', [said, 0, 0, [acknowledged], []]), dead);
    const message = 'x'.repeat(2000);
    assert.deepEqual(taskStatusOf(ID, 'mail', [said, 0, 0, [acknowledged], [['g', 'TypeError', message]]]), {
      ...dead,
      error: { name: 'TypeError', message: message.slice(0, 1000) },
    });
  });

  it('is gone when the entry was deleted and nobody has said why', () => {
    for (const group of [unread, acknowledged, ['g', ENTRY, 'host:1:0', '', ''] as const]) {
      assert.equal(statusOf({ entry: ENTRY }, [group], 0).status, 'gone');
    }
    assert.equal(statusOf({ entry: ENTRY }, [], 0).status, 'gone');
  });

  it('is told for each group where there are several, and over all is that of the one with most to do', () => {
    const both = statusOf({ entry: ENTRY, 'group:a': `done ${LATER}` }, [
      ['a', ENTRY, '', '', ''],
      ['b', ENTRY, 'host:1:0', '', ''],
    ]);
    assert.deepEqual(both, {
      ...named,
      status: 'running',
      attempts: 0,
      groups: { a: { status: 'done', finished_at: LATER_ISO }, b: { status: 'running', attempts: 0 } },
    });
    const ended = {
      entry: ENTRY,
      'group:a': `done ${LATER}`,
      'group:b': `dead ${LATER} 5-0 1 unrecoverable`,
    };
    assert.equal(statusOf(ended, [], 0).status, 'dead');
  });

  it('does not count a group that came after all others had settled it', () => {
    const said = { entry: ENTRY, 'group:g': `done ${LATER}` };
    assert.deepEqual(statusOf(said, [acknowledged, ['late', '0-0', '', '', '']], 0).groups, undefined);
  });
});
