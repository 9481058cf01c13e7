import { defineTaskType, type TaskType } from '@sluice/contract';
import { Type } from 'typebox';

/*
 * What this service needs of a GitHub webhook, and no more: each schema demands the fields its handler reads
 * and lets every other one pass, because GitHub adds fields and actions without asking. `action` is
 * therefore any word, and handlers have an answer for the ones they do not know.
 */

const name = Type.String({ minLength: 1, maxLength: 255 });
const text = Type.String({ maxLength: 65_536 });
/** SHA-1, or SHA-256 in repositories that have moved on. */
const commitId = Type.String({ pattern: '^(?:[0-9a-f]{40}|[0-9a-f]{64})$' });
const count = Type.Integer({ minimum: 0 });
const paths = Type.Array(Type.String());

const repository = Type.Object({
  full_name: Type.String({ pattern: '^[^/\\s]+/[^/\\s]+$', maxLength: 255 }),
});
const person = Type.Object({ login: name });
/** What every event of a repository carries. */
const common = { repository, sender: person };

export const push = defineTaskType(
  'github.push',
  Type.Object({
    ...common,
    /** `refs/heads/<branch>` or `refs/tags/<tag>` */
    ref: Type.String({ pattern: '^refs/', maxLength: 1_024 }),
    before: commitId,
    after: commitId,
    created: Type.Boolean(),
    deleted: Type.Boolean(),
    forced: Type.Boolean(),
    commits: Type.Array(
      Type.Object({
        id: commitId,
        message: text,
        author: Type.Object({ name: Type.String() }),
        added: paths,
        removed: paths,
        modified: paths,
      }),
      // GitHub leaves out what is beyond it.
      { maxItems: 2_048 },
    ),
  }),
);

export const issues = defineTaskType(
  'github.issues',
  Type.Object({ ...common, action: name, issue: Type.Object({ number: count, title: text }) }),
);

export const issueComment = defineTaskType(
  'github.issue_comment',
  Type.Object({
    ...common,
    action: name,
    issue: Type.Object({ number: count, title: text }),
    comment: Type.Object({ user: person, body: text }),
  }),
);

export const pullRequest = defineTaskType(
  'github.pull_request',
  Type.Object({
    ...common,
    action: name,
    pull_request: Type.Object({
      number: count,
      title: text,
      draft: Type.Boolean(),
      merged: Type.Boolean(),
      additions: count,
      deletions: count,
      changed_files: count,
      base: Type.Object({ ref: name }),
    }),
  }),
);

export const release = defineTaskType(
  'github.release',
  Type.Object({
    ...common,
    action: name,
    release: Type.Object({ tag_name: name, prerelease: Type.Boolean(), draft: Type.Boolean() }),
  }),
);

export const checkRun = defineTaskType(
  'github.check_run',
  Type.Object({
    ...common,
    action: name,
    check_run: Type.Object({
      name,
      head_sha: commitId,
      status: name,
      /** null until the run has completed */
      conclusion: Type.Union([name, Type.Null()]),
      started_at: name,
      completed_at: Type.Union([name, Type.Null()]),
    }),
  }),
);

/** The module that `SCHEMA_MODULE` names: events that are validated at the door; others go in as untyped tasks. */
const taskTypes: readonly TaskType[] = [push, issues, issueComment, pullRequest, release, checkRun];
export default taskTypes;
