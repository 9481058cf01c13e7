import { defineHandler } from '@sluice/consumers';
import type { DataOf } from '@sluice/contract';
import { issueComment } from '../schemas.js';
import { type Happening, record } from './record.js';
import { quote, words } from './wording.js';

export function describeComment(event: DataOf<typeof issueComment>): Happening {
  const { action, comment, issue } = event;
  return {
    repository: event.repository.full_name,
    what: `${event.sender.login} ${words(action)} a comment of ${comment.user.login} on #${issue.number}: ${quote(comment.body)}`,
    counts: action === 'created' ? { comments: 1 } : {},
  };
}

export default defineHandler(issueComment, (task) => record(task, describeComment(task.data)));
