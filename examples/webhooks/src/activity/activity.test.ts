import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DigestLine } from '../digest/digest-line.js';
import { Activity } from './activity.js';

const line: DigestLine = {
  task_id: '1',
  attempt: 1,
  at: '2026-05-20T07:44:10.000Z',
  type: 'github.push',
  repository: 'lantern-works/paper-kite',
  what: 'jun-takeda pushed 2 commits',
  counts: { pushes: 1, commits: 2 },
};

describe('Activity', () => {
  it('sums what the tasks of a repository counted, the busiest repository first', () => {
    const activity = new Activity();
    activity.add({ ...line, task_id: '0', repository: null, counts: {} });
    activity.add(line);
    activity.add({ ...line, task_id: '2' });
    assert.deepEqual(activity.repositories(), [
      ['lantern-works/paper-kite', { events: 2, counts: { pushes: 2, commits: 4 } }],
      ['(no repository)', { events: 1, counts: {} }],
    ]);
  });

  it('counts a task that ran again once', () => {
    const activity = new Activity();
    activity.add(line);
    activity.add({ ...line, attempt: 2 });
    assert.equal(activity.repositories()[0]?.[1].counts.commits, 2);
    assert.equal(activity.repeats, 1);
  });
});
