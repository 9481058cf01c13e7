import { defineHandler } from '@sluice/consumers';
import type { DataOf } from '@sluice/contract';
import { release } from '../schemas.js';
import { type Happening, record } from './record.js';
import { words } from './wording.js';

export function describeRelease(event: DataOf<typeof release>): Happening {
  const { draft, prerelease, tag_name } = event.release;
  const kind = draft ? 'draft release' : prerelease ? 'pre-release' : 'release';
  return {
    repository: event.repository.full_name,
    what: `${event.sender.login} ${words(event.action)} ${kind} ${tag_name}`,
    // GitHub sends created, published and released for one release: one of them counts.
    counts: event.action === 'published' ? { releases: 1 } : {},
  };
}

export default defineHandler(release, (task) => record(task, describeRelease(task.data)));
