import { defineHandler } from '@sluice/consumers';
import type { DataOf } from '@sluice/contract';
import { issues } from '../schemas.js';
import { type Happening, record } from './record.js';
import { quote, words } from './wording.js';

export function describeIssue(event: DataOf<typeof issues>): Happening {
  const { number, title } = event.issue;
  return {
    repository: event.repository.full_name,
    what: `${event.sender.login} ${words(event.action)} issue #${number} ${quote(title)}`,
    counts: counts(event.action),
  };
}

function counts(action: string): Happening['counts'] {
  switch (action) {
    case 'opened':
    case 'reopened':
      return { issues_opened: 1 };
    case 'closed':
      return { issues_closed: 1 };
    default:
      return {};
  }
}

export default defineHandler(issues, (task) => record(task, describeIssue(task.data)));
