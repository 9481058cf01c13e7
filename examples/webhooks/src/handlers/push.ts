import { defineHandler } from '@sluice/consumers';
import type { DataOf } from '@sluice/contract';
import { push } from '../schemas.js';
import { type Happening, record } from './record.js';
import { amount, quote } from './wording.js';

export function describePush(event: DataOf<typeof push>): Happening {
  const who = event.sender.login;
  const target = event.ref.replace(/^refs\/heads\//, 'branch ').replace(/^refs\/tags\//, 'tag ');
  const commits = event.commits;
  const told = { repository: event.repository.full_name };
  if (event.deleted) return { ...told, what: `${who} deleted ${target}`, counts: { refs_deleted: 1 } };
  if (commits.length === 0) {
    return {
      ...told,
      what: `${who} ${event.created ? 'created' : 'moved'} ${target}`,
      counts: { pushes: 1 },
    };
  }
  const files = new Set(
    commits.flatMap((commit) => [...commit.added, ...commit.removed, ...commit.modified]),
  );
  const last = commits.at(-1)?.message ?? '';
  const forced = event.forced ? 'force-pushed' : 'pushed';
  return {
    ...told,
    what: `${who} ${forced} ${amount(commits.length, 'commit')} to ${target} (${amount(files.size, 'file')}): ${quote(last)}`,
    counts: { pushes: 1, commits: commits.length },
  };
}

export default defineHandler(push, (task) => record(task, describePush(task.data)));
