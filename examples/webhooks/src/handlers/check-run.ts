import { defineHandler } from '@sluice/consumers';
import type { DataOf } from '@sluice/contract';
import { checkRun } from '../schemas.js';
import { type Happening, record } from './record.js';
import { words } from './wording.js';

export function describeCheckRun(event: DataOf<typeof checkRun>): Happening {
  const run = event.check_run;
  const commit = run.head_sha.slice(0, 7);
  const ended = event.action === 'completed' && run.conclusion !== null;
  return {
    repository: event.repository.full_name,
    what: ended
      ? `check ${run.name} on ${commit}: ${words(run.conclusion ?? '')}${took(run.started_at, run.completed_at)}`
      : `check ${run.name} on ${commit} ${words(event.action)}, now ${words(run.status)}`,
    counts: ended ? counts(run.conclusion) : {},
  };
}

/** How long it ran, where both times can be read. */
function took(startedAt: string, completedAt: string | null): string {
  const seconds =
    completedAt === null ? Number.NaN : (Date.parse(completedAt) - Date.parse(startedAt)) / 1_000;
  return Number.isFinite(seconds) ? ` after ${seconds} s` : '';
}

function counts(conclusion: string | null): Happening['counts'] {
  switch (conclusion) {
    case 'success':
      return { checks_passed: 1 };
    case 'failure':
    case 'timed_out':
      return { checks_failed: 1 };
    default:
      return {}; // neutral, skipped, cancelled, stale ...
  }
}

export default defineHandler(checkRun, (task) => record(task, describeCheckRun(task.data)));
