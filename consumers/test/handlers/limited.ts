import { setTimeout as pause } from 'node:timers/promises';
import { defineHandler } from '@sluice/consumers';
import { defineTaskType } from '@sluice/contract';
import { Type } from 'typebox';
import { note } from './script.js';

/** What all consumers together may start, as the tests know it. */
export const LIMIT = { tasks: 10, perSeconds: 0.5 };

export const limited = defineTaskType(
  'limited',
  Type.Object({ journal: Type.String(), fails: Type.Optional(Type.Boolean()) }),
);

/** A handler whose rate is limited; its task fails once if it says so. */
export default defineHandler(
  limited,
  async (task) => {
    note('start', task, task.data.journal);
    await pause(1);
    if (task.data.fails === true && task.attempt === 1) throw new Error('the first attempt fails');
    note('end', task, task.data.journal);
  },
  { rateLimit: LIMIT, breaker: false },
);
