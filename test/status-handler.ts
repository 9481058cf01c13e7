import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineHandler, Unrecoverable } from '@sluice/consumers';

/** What a task of the status tests asks for. */
interface Script {
  /** Works on until this file is there. */
  until?: string;
  /** Attempts that fail. */
  failing?: number;
  /** Gives up unless this file is there. */
  worksWith?: string;
}

export default defineHandler('default', async (task) => {
  const { until, failing = 0, worksWith } = (task.data ?? {}) as Script;
  while (until !== undefined && !existsSync(until)) await pause(10);
  if (worksWith !== undefined && !existsSync(worksWith)) throw new Unrecoverable('it cannot work yet');
  if (task.attempt <= failing) throw new TypeError(`attempt ${task.attempt} failed`);
});
