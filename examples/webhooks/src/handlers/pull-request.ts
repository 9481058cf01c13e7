import { defineHandler } from '@sluice/consumers';
import type { DataOf } from '@sluice/contract';
import { pullRequest } from '../schemas.js';
import { type Happening, record } from './record.js';
import { amount, quote, words } from './wording.js';

export function describePullRequest(event: DataOf<typeof pullRequest>): Happening {
  const { additions, base, changed_files, deletions, draft, merged, number, title } = event.pull_request;
  const verb = event.action === 'closed' && merged ? 'merged' : words(event.action);
  const kind = draft ? 'draft pull request' : 'pull request';
  const size = `+${additions} −${deletions} in ${amount(changed_files, 'file')}`;
  return {
    repository: event.repository.full_name,
    what: `${event.sender.login} ${verb} ${kind} #${number} into ${base.ref} (${size}): ${quote(title)}`,
    counts: counts(event.action, merged),
  };
}

function counts(action: string, merged: boolean): Happening['counts'] {
  switch (action) {
    case 'opened':
    case 'reopened':
      return { pulls_opened: 1 };
    case 'closed':
      return merged ? { pulls_merged: 1 } : { pulls_closed: 1 };
    default:
      return {};
  }
}

export default defineHandler(pullRequest, (task) => record(task, describePullRequest(task.data)));
