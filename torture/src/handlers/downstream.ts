import { existsSync, openSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineHandler } from '@sluice/consumers';
import { outageOf } from '../downstream.js';
import { lineOf } from '../journal-line.js';
import { journalOf } from '../journal-url.js';
import type { Work } from '../work.js';

const path = journalOf(import.meta.url);
const journal = openSync(path, 'a');
const outage = outageOf(path);

/** Needs a service to work; writes down when it starts and when it is through. */
export default defineHandler('default', async (task) => {
  const { n, ms } = task.data as Work; // the scenario appends nothing else
  writeSync(journal, lineOf(n, task, 'start'));
  if (ms !== undefined) await pause(ms);
  if (existsSync(outage)) throw new Error('the service is down');
  writeSync(journal, lineOf(n, task, 'end'));
});
