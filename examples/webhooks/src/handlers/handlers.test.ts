import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { DataOf, TaskType } from '@sluice/contract';
import { Compile } from 'typebox/compile';
import handlers from '../handlers.js';
import taskTypes, { checkRun, issueComment, issues, pullRequest, push, release } from '../schemas.js';
import { describeCheckRun } from './check-run.js';
import { describeComment } from './issue-comment.js';
import { describeIssue } from './issues.js';
import { describeOther } from './other-event.js';
import { describePullRequest } from './pull-request.js';
import { describePush } from './push.js';
import { describeRelease } from './release.js';

function sample<T extends TaskType>(
  taskType: T,
  name: string,
  changes: Record<string, unknown> = {},
): DataOf<T> {
  return Compile(taskType.data).Parse({ ...read(name), ...changes }) as DataOf<T>; // what Parse has let through
}

function read(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../../sample-bodies/${name}`, import.meta.url), 'utf8'));
}

const KITE = 'lantern-works/paper-kite';
const BUOY = 'tidewatch/buoy';

describe('the handlers', () => {
  it('cover every task type, and what has no type', () => {
    assert.deepEqual(
      Object.keys(handlers).toSorted(),
      [...taskTypes.map(({ name }) => name), 'default'].toSorted(),
    );
  });

  it('tell what happened, and count it', () => {
    const cases = [
      [
        describePush(sample(push, 'push.branch.json')),
        KITE,
        'jun-takeda pushed 2 commits to branch main (6 files): “Drop the old glue step 🪁”',
        { pushes: 1, commits: 2 },
      ],
      [
        describePush(sample(push, 'push.tag-deleted.json')),
        BUOY,
        'ilse-brandt deleted tag v0.3.0-rc.1',
        { refs_deleted: 1 },
      ],
      [
        describeIssue(sample(issues, 'issues.opened.json')),
        KITE,
        'ilse-brandt opened issue #57 “The kite flies “upside down” on 紙 (A4) paper”',
        { issues_opened: 1 },
      ],
      [
        describeIssue(sample(issues, 'issues.closed.json')),
        BUOY,
        'ilse-brandt closed issue #12 “Low tide is reported twice on the day the clock changes”',
        { issues_closed: 1 },
      ],
      [
        describeComment(sample(issueComment, 'issue_comment.created.json')),
        BUOY,
        'jun-takeda created a comment of jun-takeda on #12: “Same here, with `--zone=Europe/Lisbon`.”',
        { comments: 1 },
      ],
      [
        describePullRequest(sample(pullRequest, 'pull_request.opened.json')),
        KITE,
        'ilse-brandt opened draft pull request #58 into main (+21 −4 in 2 files): “Turn the sheet before the first fold”',
        { pulls_opened: 1 },
      ],
      [
        describePullRequest(sample(pullRequest, 'pull_request.merged.json')),
        BUOY,
        'ilse-brandt merged pull request #31 into trunk (+118 −37 in 6 files): “Read buoys in parallel, four at most”',
        { pulls_merged: 1 },
      ],
      [
        describeRelease(sample(release, 'release.published.json')),
        BUOY,
        'ilse-brandt published release v0.3.0',
        { releases: 1 },
      ],
      [
        describeCheckRun(sample(checkRun, 'check_run.failed.json')),
        KITE,
        /^check fold-tests on [0-9a-f]{7}: failure after 102 s$/,
        { checks_failed: 1 },
      ],
      [
        describeCheckRun(sample(checkRun, 'check_run.created.json')),
        BUOY,
        /^check clippy on [0-9a-f]{7} created, now queued$/,
        {},
      ],
      [describeOther('star.created.json', read('star.created.json')), KITE, 'star created by amara-voss', {}],
      [describeOther('ping.json', read('ping.json')), null, 'ping by ilse-brandt', {}],
    ] as const;
    for (const [happening, repository, what, counts] of cases) {
      assert.equal(happening.repository, repository);
      if (typeof what === 'string') assert.equal(happening.what, what);
      else assert.match(happening.what, what);
      assert.deepEqual(happening.counts, counts);
    }
  });

  it('have a word for actions that do not exist yet, and count nothing', () => {
    const event = sample(issues, 'issues.opened.json', { action: 'sent_to_space' });
    assert.match(describeIssue(event).what, /sent to space issue #57/);
    assert.deepEqual(describeIssue(event).counts, {});
  });

  it('say something of data that is nothing like an event', () => {
    for (const data of [null, 7, 'text', [], { repository: null }, { sender: { login: 3 } }]) {
      assert.deepEqual(describeOther(undefined, data), { repository: null, what: 'unnamed', counts: {} });
    }
  });
});
