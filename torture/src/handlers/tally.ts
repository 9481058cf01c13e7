import { openSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineHandler } from '@sluice/consumers';
import { lineOf } from '../journal-line.js';
import { journalOf } from '../journal-url.js';
import type { Work } from '../work.js';

const SLOW_MS = 20;
const journal = openSync(journalOf(import.meta.url), 'a');

/** Takes its time and writes down that it ran, whatever the task asks for: the handler of another group. */
export default defineHandler('default', async (task) => {
  const { n } = task.data as Work; // the scenarios append nothing else
  writeSync(journal, lineOf(n, task, 'start'));
  await pause(SLOW_MS);
  writeSync(journal, lineOf(n, task, 'end'));
});
